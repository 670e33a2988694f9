import Support

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
