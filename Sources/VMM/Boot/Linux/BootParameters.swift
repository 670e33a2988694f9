import Support

/// The boot parameters of a Linux kernel that is entered by its 64-bit protocol: its own setup header with what the loader
/// fills in, and the memory map (kernel, Documentation/arch/x86/zero-page.rst and boot.rst).
struct BootParameters {
  let header: SetupHeader
  let map: E820Map
  /// Where the initial RAM disk lies; nil for none.
  let initrd: Range<UInt64>?

  private enum Offset {
    static let rsdp = 0x70
    static let entryCount = 0x1e8
    static let videoMode = 0x1fa
    static let loader = 0x210
    static let codeStart = 0x214
    static let initrd = 0x218
    static let commandLine = 0x228
    static let table = 0x2d0
  }
  private static let entrySize = 20
  /// "Unknown", where no id was assigned.
  private static let loaderID: UInt8 = 0xff
  private static let normalVideo: UInt16 = 0xffff

  /// A page.
  var bytes: [UInt8] {
    var page = [UInt8](repeating: 0, count: 4096)
    page.replaceSubrange(Int(SetupHeader.start)..<Int(SetupHeader.start) + header.bytes.count, with: header.bytes)
    func put(_ value: some FixedWidthInteger & UnsignedInteger, at offset: Int) {
      var bytes: [UInt8] = []
      bytes.appendLittleEndian(value)
      page.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
    put(Self.normalVideo, at: Offset.videoMode)
    put(Self.loaderID, at: Offset.loader)
    put(UInt32(truncatingIfNeeded: header.address), at: Offset.codeStart)
    put(UInt32(truncatingIfNeeded: initrd?.lowerBound ?? 0), at: Offset.initrd)
    put(UInt32(initrd?.count ?? 0), at: Offset.initrd + 4)
    put(UInt32(LinuxLayout.commandLine), at: Offset.commandLine)
    // Kernels before protocol 2.14 look for it themselves, where it is too.
    put(ACPITables.rootPointerAddress, at: Offset.rsdp)
    // A machine has four or five, where the table has 128.
    put(UInt8(truncatingIfNeeded: map.entries.count), at: Offset.entryCount)
    for (index, entry) in map.entries.enumerated() {
      let place = Offset.table + index * Self.entrySize
      put(entry.address, at: place)
      put(entry.size, at: place + 8)
      put(entry.kind.rawValue, at: place + 16)
    }
    return page
  }
}
