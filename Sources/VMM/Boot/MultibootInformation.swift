/// What a Multiboot image finds at the address in EBX: the size of memory, its map and its command line (Multiboot
/// specification 0.6.96, section 3.3). It fits a page.
struct MultibootInformation {
  private enum Flag {
    static let memory: UInt32 = 1 << 0
    static let commandLine: UInt32 = 1 << 2
    static let memoryMap: UInt32 = 1 << 6
  }
  private static let available: UInt32 = 1
  private static let mapOffset: UInt64 = 128
  private static let textOffset: UInt64 = 512
  private static let textLimit = Int(BootLayout.pageSize - textOffset) - 1

  let commandLine: String

  func write(to memory: GuestMemory, at address: UInt64) throws(GuestMemoryError) {
    let upper = (memory.lowSize - min(memory.lowSize, 1 << 20)) >> 10
    try memory.store(Flag.memory | Flag.commandLine | Flag.memoryMap, at: address)
    try memory.store(UInt32(640), at: address + 4)
    try memory.store(UInt32(truncatingIfNeeded: upper), at: address + 8)
    try memory.store(UInt32(truncatingIfNeeded: address + Self.textOffset), at: address + 16)
    try memory.write(Array(commandLine.utf8.prefix(Self.textLimit)) + [0], at: address + Self.textOffset)

    var entry = address + Self.mapOffset
    for bank in memory.banks {
      // An entry's size does not count the size field itself.
      try memory.store(UInt32(20), at: entry)
      try memory.store(UInt32(truncatingIfNeeded: bank.address), at: entry + 4)
      try memory.store(UInt32(truncatingIfNeeded: bank.address >> 32), at: entry + 8)
      try memory.store(UInt32(truncatingIfNeeded: bank.size), at: entry + 12)
      try memory.store(UInt32(truncatingIfNeeded: bank.size >> 32), at: entry + 16)
      try memory.store(Self.available, at: entry + 20)
      entry += 24
    }
    try memory.store(UInt32(24 * memory.banks.count), at: address + 44)
    try memory.store(UInt32(truncatingIfNeeded: address + Self.mapOffset), at: address + 48)
  }
}
