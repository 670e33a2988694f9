import KVM
import Support
public import SystemPackage
public import VMM

/// What is in a guest's memory: its pages that are not all zero.
public struct MemoryImage: Hashable, Sendable {
  /// Pages beside one another.
  public struct Run: Hashable, Sendable {
    /// The guest-physical address of the first.
    public var address: UInt64
    /// Their bytes, a multiple of 4096 and at most `GuestMemory.runLimit`.
    public var bytes: [UInt8]

    /// A run of pages.
    public init(address: UInt64, bytes: [UInt8]) {
      self.address = address
      self.bytes = bytes
    }
  }

  /// The size of guest memory in bytes, zero pages and all.
  public var size: UInt64
  /// The runs in the order of their addresses.
  public var runs: [Run]

  /// An image.
  public init(size: UInt64, runs: [Run] = []) {
    self.size = size
    self.runs = runs
  }

  /// Copies a guest's memory, while the guest stands still.
  public init(of memory: GuestMemory) {
    let copy = GuestMemoryCopy(roomFor: memory)
    copy.take(memory)
    self.init(copy, size: memory.size)
  }

  /// What was copied.
  init(_ copy: GuestMemoryCopy, size: UInt64) {
    self.init(size: size)
    copy.forEachRun { runs.append(Run(address: $0, bytes: $1)) }
  }

  /// How many pages it has.
  public var pages: UInt64 { runs.reduce(0) { $0 + UInt64($1.bytes.count) / GuestMemory.pageSize } }

  /// New guest memory with this in it.
  ///
  /// - Throws: `MachineError` where the host has no room for it, or a run lies outside.
  public func guestMemory() throws(MachineError) -> GuestMemory {
    let memory: GuestMemory
    do throws(KVMError) {
      memory = try GuestMemory(size: size)
    } catch {
      throw .kvm(error)
    }
    for run in runs {
      do throws(GuestMemoryError) {
        try memory.write(run.bytes, at: run.address)
      } catch {
        throw .memory(error)
      }
    }
    return memory
  }
}

/// Guest memory that comes page by page, in any order and some pages more than once, collected in a file without a name: this
/// process has a run of it at a time.
///
/// Not safe to be used on several threads at once.
public final class MemorySpool {
  private let file: FileDescriptor
  /// A bit a page that has something in it.
  private var present: [UInt64] = []
  /// Pages beside one another that are not in the file yet.
  private var waiting: [UInt8] = []
  private var waitingOffset: UInt64 = 0
  /// Why a page could not be kept: a full disk, a limit on files. That says nothing of where the pages come from.
  public private(set) var failure: Errno?

  /// How much memory it takes: what a machine can have.
  public static let limit = MachineConfiguration.memoryRange.upperBound

  /// An empty memory.
  ///
  /// - Parameter place: a file in whose folder there is room for all of the memory.
  /// - Throws: `Errno` of open(2).
  public init(besides place: FilePath) throws(Errno) { file = try StagedFile.namelessSpool(besides: place) }

  deinit { try? file.close() }

  /// Takes a page; a later one at the same place counts.
  ///
  /// - Parameters:
  ///   - page: 4096 bytes.
  ///   - offset: how many bytes of memory come before it, a multiple of 4096 below `limit`.
  /// - Throws: `Errno` of write(2), `invalidArgument` for any other offset or size.
  public func write(_ page: [UInt8], at offset: UInt64) throws(Errno) {
    guard page.count == Int(GuestMemory.pageSize), offset.isMultiple(of: GuestMemory.pageSize), offset < Self.limit
    else {
      throw .invalidArgument
    }
    guard page.contains(where: { $0 != 0 }) else { return try clear(at: offset) }
    if waiting.count >= GuestMemory.runLimit || waitingOffset + UInt64(waiting.count) != offset {
      try flush()
      waitingOffset = offset
    }
    waiting += page
    let (word, bit) = Self.place(of: offset)
    while present.count <= word { present.append(0) }
    present[word] |= bit
  }

  /// Takes a page of zeros.
  ///
  /// - Parameter offset: how many bytes of memory come before it, a multiple of 4096.
  /// - Throws: `Errno` of write(2), for what waited.
  public func clear(at offset: UInt64) throws(Errno) {
    let (word, bit) = Self.place(of: offset)
    if word < present.count { present[word] &= ~bit }
  }

  private static func place(of offset: UInt64) -> (word: Int, bit: UInt64) {
    let page = offset / GuestMemory.pageSize
    return (Int(page / 64), 1 << (page % 64))
  }

  private func flush() throws(Errno) {
    let (bytes, offset) = (waiting, waitingOffset)
    waiting.removeAll(keepingCapacity: true)
    guard !bytes.isEmpty else { return }
    do { _ = try file.writeAll(toAbsoluteOffset: Int64(offset), bytes) } catch {
      let error = error as? Errno ?? .ioError
      failure = error
      throw error
    }
  }

  private func isPresent(_ page: UInt64) -> Bool {
    let word = Int(page / 64)
    return word < present.count && present[word] >> (page % 64) & 1 == 1
  }

  /// Hands out the pages that are not all zero, in runs of neighbours in the order of their addresses, none longer than
  /// `GuestMemory.runLimit`, with their guest-physical addresses: memory above 3 GiB lies from 4 GiB on.
  func forEachRun(_ body: (_ address: UInt64, _ bytes: [UInt8]) throws -> Void) throws {
    try flush()
    let (last, low) = (UInt64(present.count) * 64, GuestMemory.lowLimit / GuestMemory.pageSize)
    var page: UInt64 = 0
    while page < last {
      guard isPresent(page) else {
        page += present[Int(page / 64)] == 0 ? 64 - page % 64 : 1
        continue
      }
      let start = page
      let end = min(start + UInt64(GuestMemory.runLimit) / GuestMemory.pageSize, start < low ? low : last)
      while page < end, isPresent(page) { page += 1 }
      let offset = start * GuestMemory.pageSize
      let bytes = try read((page - start) * GuestMemory.pageSize, at: offset)
      try body(start < low ? offset : offset + ((4 << 30) - GuestMemory.lowLimit), bytes)
    }
  }

  private func read(_ count: UInt64, at offset: UInt64) throws(Errno) -> [UInt8] {
    try file.readAll(Int(count), fromAbsoluteOffset: Int64(offset))
  }
}
