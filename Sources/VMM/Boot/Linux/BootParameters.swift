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

/// What lies where in the guest's physical memory, as a PC's firmware answers INT 15h with EAX E820h (ACPI specification,
/// section 15).
struct E820Map {
  struct Entry: Hashable {
    var address: UInt64
    var size: UInt64
    var kind: Kind
  }

  enum Kind: UInt32 {
    case usable = 1
    case reserved = 2
  }

  let entries: [Entry]

  /// A machine's memory, without what a PC has between the end of conventional memory and 1 MiB.
  init(_ memory: GuestMemory) {
    let (low, high) = (LinuxLayout.lowEnd, LinuxLayout.kernelStart)
    entries =
      [
        Entry(address: 0, size: low, kind: .usable),
        Entry(address: low, size: high - low, kind: .reserved),
        Entry(address: high, size: memory.lowSize - min(memory.lowSize, high), kind: .usable),
      ] + memory.banks.dropFirst().map { Entry(address: $0.address, size: $0.size, kind: .usable) }
  }
}

/// What a kernel that is entered by the PVH protocol finds at the address in EBX: `hvm_start_info` of version 1, with the
/// initial RAM disk as its module and the memory map behind it (Xen, include/public/arch-x86/hvm/start_info.h).
struct StartInfo {
  let map: E820Map
  /// Where the initial RAM disk lies; nil for none.
  let initrd: Range<UInt64>?

  private static let magic: UInt32 = 0x336e_c578
  private static let version: UInt32 = 1
  private static let moduleOffset = 64
  private static let mapOffset = 128

  /// The structure, to lie at `LinuxLayout.startInfo`.
  var bytes: [UInt8] {
    var info: [UInt8] = []
    let modules = LinuxLayout.startInfo + UInt64(Self.moduleOffset)
    for word in [Self.magic, Self.version, 0, initrd == nil ? 0 : 1] as [UInt32] { info.appendLittleEndian(word) }
    info.appendLittleEndian(initrd == nil ? 0 : modules)
    info.appendLittleEndian(LinuxLayout.commandLine)
    info.appendLittleEndian(ACPITables.rootPointerAddress)
    info.appendLittleEndian(LinuxLayout.startInfo + UInt64(Self.mapOffset))
    info.appendLittleEndian(UInt32(map.entries.count))
    info.pad(to: Self.moduleOffset)
    if let initrd { for word in [initrd.lowerBound, UInt64(initrd.count), 0, 0] { info.appendLittleEndian(word) } }
    info.pad(to: Self.mapOffset)
    for entry in map.entries {
      info.appendLittleEndian(entry.address)
      info.appendLittleEndian(entry.size)
      info.appendLittleEndian(entry.kind.rawValue)
      info.appendLittleEndian(UInt32(0))
    }
    return info
  }
}
