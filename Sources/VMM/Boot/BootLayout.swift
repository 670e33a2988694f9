import GuestContract
import Support

/// Where the machine puts what it gives its guest: at the top of low memory, downwards, so that images can be linked
/// anywhere below.
///
/// From the top: page tables and GDT, the Multiboot information, the boot page, the table of APIC ids, the requests, the mailboxes, the processors' areas, and
/// the log, which a guest that never writes to it does not cost anything.
struct BootLayout: Hashable {
  static let pageSize: UInt64 = 4096
  /// Processor data and stack.
  static let processorStride: UInt64 = 16 << 10
  /// PML4, PDPT and four page directories: 4 GiB in pages of 2 MiB.
  static let pageTablePages: UInt64 = 6

  let pageTables: UInt64
  let descriptors: UInt64
  let multibootInformation: UInt64
  let bootPage: UInt64
  let apicIDs: UInt64
  let requests: UInt64
  let mailboxes: UInt64
  let processorArea: UInt64
  let log: UInt64
  let logCapacity: UInt64

  /// The lowest address that is taken.
  var start: UInt64 { log }

  /// Lays out for a machine whose low memory ends at `top`; nil where there is too little of it.
  init?(top: UInt64, vcpus: Int, logCapacity: UInt64) {
    var next = top & ~(Self.pageSize - 1)
    var fits = true
    func take(_ size: UInt64) -> UInt64 {
      let pages = (size + Self.pageSize - 1) & ~(Self.pageSize - 1)
      fits = fits && pages <= next
      next = fits ? next - pages : 0
      return next
    }
    pageTables = take(Self.pageTablePages * Self.pageSize)
    descriptors = take(Self.pageSize)
    multibootInformation = take(Self.pageSize)
    bootPage = take(UInt64(MemoryLayout<BootPage>.size))
    apicIDs = take(UInt64(vcpus * MemoryLayout<UInt32>.stride))
    requests = take(UInt64(vcpus * MemoryLayout<HostRequest>.stride))
    mailboxes = take(UInt64(vcpus * MemoryLayout<Mailbox>.stride))
    processorArea = take(UInt64(vcpus) * Self.processorStride)
    // The log has what was asked for, or a quarter of what is left where memory is small.
    let wanted = logCapacity * UInt64(MemoryLayout<LogRecord>.stride)
    let size = min(wanted, next / 4) + UInt64(MemoryLayout<LogHeader>.stride)
    log = take(size)
    self.logCapacity = (size - UInt64(MemoryLayout<LogHeader>.stride)) / UInt64(MemoryLayout<LogRecord>.stride)
    guard fits else { return nil }
  }
}

/// Writes what a guest finds in memory when it starts, where `BootLayout` says.
struct BootStructures {
  let layout: BootLayout
  let memory: GuestMemory

  /// Page table entries: present, writable, and for a directory's entries a 2 MiB page; PCD for what is not RAM (SDM
  /// volume 3A, section 4.5).
  private enum Page {
    static let table: UInt64 = 0x03
    static let large: UInt64 = 0x83
    static let uncached: UInt64 = 0x10
    static let largeSize: UInt64 = 2 << 20
  }

  /// 64-bit code, data: flat, ring 0, present, accessed (SDM volume 3A, section 3.4.5).
  static let globalDescriptors: [UInt64] = [0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff]

  /// 32-bit code, data. Kernels load a table of their own and go on with the selectors of their loader, though the
  /// Multiboot specification leaves them open (section 3.2): QEMU's and GRUB's are these.
  static let multibootDescriptors: [UInt64] = [0, 0x00cf_9b00_0000_ffff, 0x00cf_9300_0000_ffff]

  /// Identity-maps the first 4 GiB, all that a local APIC or an IOAPIC at its default address needs.
  func writePageTables() throws(GuestMemoryError) { try Self.writePageTables(at: layout.pageTables, to: memory) }

  /// The same at a place of its own, of `BootLayout.pageTablePages` pages.
  static func writePageTables(at root: UInt64, to memory: GuestMemory) throws(GuestMemoryError) {
    let pointers = root + BootLayout.pageSize
    try memory.store(pointers | Page.table, at: root)
    var directories: [UInt8] = []
    directories.reserveCapacity(4 * 4096)
    for index in 0..<UInt64(4 * 512) {
      let address = index * Page.largeSize
      let caching = address >= GuestMemory.lowLimit ? Page.uncached : 0
      directories.appendLittleEndian(address | Page.large | caching)
    }
    for index in 0..<UInt64(4) {
      try memory.store((pointers + (index + 1) * BootLayout.pageSize) | Page.table, at: pointers + index * 8)
    }
    try memory.write(directories, at: pointers + BootLayout.pageSize)
  }

  /// Writes the GDT, which a guest may use until it has its own.
  func writeDescriptors(_ descriptors: [UInt64]) throws(GuestMemoryError) {
    for (index, descriptor) in descriptors.enumerated() {
      try memory.store(descriptor, at: layout.descriptors + UInt64(index) * 8)
    }
  }

  /// Writes the boot page and the table of APIC ids.
  func writeBootPage(_ configuration: MachineConfiguration, tscKHz: UInt32) throws(GuestMemoryError) {
    var page = BootPage()
    page.magic = UInt32(LAPWING_BOOT_MAGIC)
    page.version = UInt32(LAPWING_BOOT_VERSION)
    page.apicMode = configuration.apic == .x2APIC ? .x2APIC : .xAPIC
    page.irqChip = configuration.irqChip == .kernel ? .kernel : .split
    page.start = configuration.start == .sipi ? .sipi : .direct
    page.vcpuCount = UInt32(configuration.vcpus)
    page.memorySize = configuration.memory
    page.tscKHz = tscKHz
    // KVM's local APIC bus runs at 1 GHz unless KVM_CAP_X86_APIC_BUS_CYCLES_NS says otherwise (APIC_BUS_CYCLE_NS).
    page.apicCycleNanoseconds = 1
    page.apicIDs = layout.apicIDs
    page.processorArea = layout.processorArea
    page.processorStride = BootLayout.processorStride
    page.requests = layout.requests
    page.mailboxes = layout.mailboxes
    page.log = layout.log
    page.logCapacity = layout.logCapacity
    let arguments = Array(configuration.arguments.utf8)
    page.argumentLength = UInt64(arguments.count)
    try memory.storeStructure(page, at: layout.bootPage)
    try memory.write(arguments, at: layout.bootPage + UInt64(LAPWING_BOOT_ARGUMENTS))
    for (index, id) in configuration.apicIDs.enumerated() {
      try memory.store(id, at: layout.apicIDs + UInt64(index) * 4)
    }
  }
}
