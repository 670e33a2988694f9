/// What a Multiboot image finds at the address in EBX: the size of memory, its map, its command line and its modules
/// (Multiboot specification 0.6.96, section 3.3). It fits a page.
struct MultibootInformation {
  private enum Flag {
    static let memory: UInt32 = 1 << 0
    static let commandLine: UInt32 = 1 << 2
    static let modules: UInt32 = 1 << 3
    static let memoryMap: UInt32 = 1 << 6
  }
  private static let mapOffset: UInt64 = 128
  private static let moduleOffset: UInt64 = 496
  private static let textOffset: UInt64 = 512
  private static let textLimit = Int(BootLayout.pageSize - textOffset) - 1

  /// A stretch of the memory map: RAM that the guest may use, or an address range that it may not.
  struct MapEntry: Hashable {
    let address: UInt64
    let size: UInt64
    var isAvailable = true
  }

  let commandLine: String
  /// At most fifteen.
  let map: [MapEntry]
  /// How much memory there is from 1 MiB on, without a hole, in bytes.
  let upperMemory: UInt64
  /// Where the module lies; nil for none.
  var module: Range<UInt64>?

  /// All of a machine's memory.
  init(commandLine: String, memory: GuestMemory) {
    self.commandLine = commandLine
    map = memory.banks.map { MapEntry(address: $0.address, size: $0.size) }
    upperMemory = memory.lowSize - min(memory.lowSize, 1 << 20)
  }

  /// Memory as a PC has it: without the addresses from 640 KiB to 1 MiB, and without what lies from `end` on below 4 GiB.
  init(commandLine: String, memory: GuestMemory, upTo end: UInt64, module: Range<UInt64>?) {
    self.commandLine = commandLine
    self.module = module
    let hole = Self.lowEnd..<Self.upperStart
    upperMemory = end - min(end, hole.upperBound)
    map =
      [
        MapEntry(address: 0, size: min(end, hole.lowerBound)),
        MapEntry(address: hole.lowerBound, size: hole.upperBound - hole.lowerBound, isAvailable: false),
        MapEntry(address: hole.upperBound, size: upperMemory),
        MapEntry(address: end, size: memory.lowSize - end, isAvailable: false),
      ] + memory.banks.dropFirst().map { MapEntry(address: $0.address, size: $0.size) }
  }

  private static let lowEnd: UInt64 = 640 << 10
  private static let upperStart: UInt64 = 1 << 20

  func write(to memory: GuestMemory, at address: UInt64) throws(GuestMemoryError) {
    let flags = Flag.memory | Flag.commandLine | Flag.memoryMap | (module == nil ? 0 : Flag.modules)
    try memory.store(flags, at: address)
    try memory.store(UInt32(BIOSData.conventionalEnd >> 10), at: address + 4)
    try memory.store(UInt32(truncatingIfNeeded: upperMemory >> 10), at: address + 8)
    try memory.store(UInt32(truncatingIfNeeded: address + Self.textOffset), at: address + 16)
    try memory.write(Array(commandLine.utf8.prefix(Self.textLimit)) + [0], at: address + Self.textOffset)
    if let module { try write(module, to: memory, at: address) }

    var entry = address + Self.mapOffset
    for part in map.prefix(15) {
      // An entry's size does not count the size field itself.
      try memory.store(UInt32(20), at: entry)
      try memory.store(UInt32(truncatingIfNeeded: part.address), at: entry + 4)
      try memory.store(UInt32(truncatingIfNeeded: part.address >> 32), at: entry + 8)
      try memory.store(UInt32(truncatingIfNeeded: part.size), at: entry + 12)
      try memory.store(UInt32(truncatingIfNeeded: part.size >> 32), at: entry + 16)
      try memory.store(UInt32(part.isAvailable ? 1 : 2), at: entry + 20)
      entry += 24
    }
    try memory.store(UInt32(24 * min(map.count, 15)), at: address + 44)
    try memory.store(UInt32(truncatingIfNeeded: address + Self.mapOffset), at: address + 48)
  }

  /// The list of modules, of which there is one; it has no text of its own.
  private func write(
    _ module: Range<UInt64>, to memory: GuestMemory, at address: UInt64
  ) throws(GuestMemoryError) {
    let list = address + Self.moduleOffset
    try memory.store(UInt32(truncatingIfNeeded: module.lowerBound), at: list)
    try memory.store(UInt32(truncatingIfNeeded: module.upperBound), at: list + 4)
    try memory.store(UInt32(truncatingIfNeeded: list + 12), at: list + 8)
    try memory.store(UInt32(0), at: list + 12)
    try memory.store(UInt32(1), at: address + 20)
    try memory.store(UInt32(truncatingIfNeeded: list), at: address + 24)
  }
}
