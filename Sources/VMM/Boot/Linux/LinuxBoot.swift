import APIC

/// A Linux kernel's way from its file into memory: where its initial RAM disk and its command line go, and what it finds.
///
/// All that can be wrong with them is found before the first byte is written.
struct LinuxBoot {
  private let plan: LoadPlan
  private let commandLine: [UInt8]
  private let initrd: ImageBytes?
  private let initrdPlace: Range<UInt64>?
  private let tables: ACPITables
  private let map: E820Map

  /// Looks for room.
  ///
  /// - Throws: `ImageError` for a command line that is too long, an initial RAM disk that does not fit, and a kernel that
  ///   lies where it is to find what it is given.
  init(_ plan: LoadPlan, _ image: GuestImage, _ configuration: MachineConfiguration, memory: GuestMemory)
    throws(ImageError)
  {
    self.plan = plan
    commandLine = Array(configuration.arguments.utf8)
    let limit = min(plan.setupHeader?.commandLineLimit ?? .max, LinuxLayout.commandLineLimit)
    guard commandLine.count <= limit else { throw .commandLineTooLong(size: commandLine.count, limit: limit) }
    for (index, segment) in plan.segments.enumerated()
    where segment.size > 0 && segment.address < LinuxLayout.kernelStart {
      throw .unsupportedKernel(
        reason: "segment \(index) goes to \(hex(segment.address)), below 1 MiB, where the kernel's parameters are")
    }
    initrd = image.initrd
    initrdPlace = try image.initrd.map { (initrd) throws(ImageError) in
      try Self.place(initrd.count, plan, memory: memory.lowSize)
    }
    tables = ACPITables(
      apicIDs: configuration.apicIDs, platform: .linux(hasPIC: configuration.irqChip == .kernel))
    map = E820Map(memory)
  }

  /// As high as the kernel takes it, and above the kernel, which unpacks itself where it was loaded.
  private static func place(_ size: Int, _ plan: LoadPlan, memory: UInt64) throws(ImageError) -> Range<UInt64> {
    let last = plan.setupHeader?.lastInitrdAddress ?? .max
    let top = min(memory, last == .max ? last : last + 1)
    let bottom = plan.segments.map(\.range.upperBound).max() ?? LinuxLayout.kernelStart
    let start = (top - min(UInt64(size), top)) & ~(BootLayout.pageSize - 1)
    guard start >= bottom, start + UInt64(size) <= top else {
      throw .initrdTooLarge(size: UInt64(size), start: bottom, end: top)
    }
    return start..<start + UInt64(size)
  }

  /// Writes everything but the kernel itself.
  func write(to memory: GuestMemory) throws(GuestMemoryError) {
    for (index, descriptor) in LinuxLayout.globalDescriptors.enumerated() {
      try memory.store(descriptor, at: LinuxLayout.descriptors + UInt64(index) * 8)
    }
    try memory.write(commandLine + [0], at: LinuxLayout.commandLine)
    if let initrd, let initrdPlace { try memory.write(initrd.bytes, at: initrdPlace.lowerBound) }
    for (address, bytes) in tables.contents { try memory.write(bytes, at: address) }
    if let header = plan.setupHeader {
      try BootStructures.writePageTables(at: LinuxLayout.pageTables, to: memory)
      let parameters = BootParameters(header: header, map: map, initrd: initrdPlace)
      try memory.write(parameters.bytes, at: LinuxLayout.bootParameters)
    } else {
      try memory.write(StartInfo(map: map, initrd: initrdPlace).bytes, at: LinuxLayout.startInfo)
    }
  }
}

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
