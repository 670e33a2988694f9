/// Where a Linux kernel finds what it is given, below 640 KiB, all of which it copies or leaves alone until it has its own.
enum LinuxLayout {
  /// The GDT with which it is entered.
  static let descriptors: UInt64 = 0x500
  /// Xen's hvm_start_info, and behind it the list of modules and the memory map.
  static let startInfo: UInt64 = 0x6000
  /// The boot parameters, also called the zero page.
  static let bootParameters: UInt64 = 0x7000
  /// Page tables that identity-map 4 GiB.
  static let pageTables: UInt64 = 0x9000
  /// The command line.
  static let commandLine: UInt64 = 0x2_0000
  /// The longest command line that has room, in bytes without the NUL.
  static let commandLineLimit = 4095
  /// The end of conventional memory.
  static let lowEnd = BIOSData.conventionalEnd
  /// Kernels lie from here on.
  static let kernelStart: UInt64 = 0x10_0000

  /// 64-bit or 32-bit code at selector 0x10, data at 0x18, as the 64-bit boot protocol has __BOOT_CS and __BOOT_DS.
  static let codeSelector: UInt16 = 0x10
  static let dataSelector: UInt16 = 0x18
  static let globalDescriptors: [UInt64] = [0, 0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff]
}
