import GuestContract

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
