import Synchronization

/// A split virtqueue: its registers, and how far the device has come (virtio 1.2, section 2.7). The rings are in guest memory
/// and are the driver's: every number in them is checked, and one request costs no more than its queue has descriptors.
struct VirtioQueue: Hashable, Sendable {
  private enum DescriptorFlag {
    static let next: UInt16 = 1
    static let write: UInt16 = 2
    static let indirect: UInt16 = 4
  }

  /// The largest size that the driver may choose.
  let limit: UInt16
  /// How many descriptors it has: a power of two.
  var size: UInt16
  /// Whether the driver has enabled it.
  var isEnabled = false
  /// The MSI-X vector of its completions.
  var vector: UInt16 = VirtioRegisters.noVector
  /// Where the descriptors are.
  var descriptors: UInt64 = 0
  /// Where the driver puts what is available.
  var driverArea: UInt64 = 0
  /// Where the device puts what it has used.
  var deviceArea: UInt64 = 0
  /// The available index that the device takes next.
  var available: UInt16 = 0
  /// The used index that it fills next.
  var used: UInt16 = 0

  /// A queue as it is after reset.
  ///
  /// - Parameter limit: a power of two.
  init(limit: UInt16) {
    self.limit = limit
    size = limit
  }

  /// Whether its parts lie in guest memory, aligned as they must be (section 2.7).
  ///
  /// - Parameter memorySize: the size of guest memory, in bytes.
  func isPlaced(inMemoryOf memorySize: UInt64) -> Bool {
    let size = UInt64(size)
    let parts: [(UInt64, UInt64, UInt64)] = [
      (descriptors, 16 * size, 16), (driverArea, 6 + 2 * size, 2), (deviceArea, 6 + 8 * size, 4),
    ]
    return parts.allSatisfy { address, count, alignment in
      address.isMultiple(of: alignment) && GuestMemory.holds(address, count, ofSize: memorySize)
    }
  }

  /// Takes the next chain that is available; nil where there is none.
  ///
  /// - Parameters:
  ///   - memory: the guest's.
  ///   - usesEventIndex: whether VIRTIO_F_EVENT_IDX was negotiated: then the driver notifies only of what comes after what
  ///     the device says that it has seen.
  mutating func next(_ memory: GuestMemory, usesEventIndex: Bool) throws(VirtioRingError) -> VirtioChain? {
    var index = try load(UInt16.self, driverArea + 2, memory)
    if index == available, usesEventIndex {
      try store(available, deviceArea + 4 + 8 * UInt64(size), memory)
      // What is available since would not be notified of: seen here at the latest.
      atomicMemoryFence(ordering: .sequentiallyConsistent)
      index = try load(UInt16.self, driverArea + 2, memory)
    }
    guard index != available else { return nil }
    guard index &- available <= size else { throw .availableIndex }
    let head = try load(UInt16.self, driverArea + 4 + 2 * UInt64(available % size), memory)
    let chain = try chain(from: head, memory)
    available &+= 1
    return chain
  }

  private func chain(from head: UInt16, _ memory: GuestMemory) throws(VirtioRingError) -> VirtioChain {
    var chain = VirtioChain(head: head)
    var number = head
    for _ in 0..<size {
      guard number < size else { throw .descriptorNumber }
      let place = descriptors + 16 * UInt64(number)
      let address = try load(UInt64.self, place, memory)
      // Length, flags and next in one: the driver may be writing.
      let rest = try load(UInt64.self, place + 8, memory)
      let count = UInt32(truncatingIfNeeded: rest)
      let flags = UInt16(truncatingIfNeeded: rest >> 32)
      guard flags & DescriptorFlag.indirect == 0 else { throw .indirect }
      guard count > 0, GuestMemory.holds(address, UInt64(count), ofSize: memory.size) else { throw .buffer }
      let buffer = VirtioChain.Buffer(address: address, count: count)
      if flags & DescriptorFlag.write != 0 {
        chain.writable.append(buffer)
      } else {
        guard chain.writable.isEmpty else { throw .order }
        chain.readable.append(buffer)
      }
      guard flags & DescriptorFlag.next != 0 else { return chain }
      number = UInt16(truncatingIfNeeded: rest >> 48)
    }
    throw .loop
  }

  /// Gives a chain back to the driver.
  ///
  /// - Parameters:
  ///   - chain: what was carried out.
  ///   - written: how many bytes of it the device wrote.
  ///   - memory: the guest's.
  ///   - usesEventIndex: whether VIRTIO_F_EVENT_IDX was negotiated.
  /// - Returns: whether the driver wants an interrupt for it.
  mutating func complete(
    _ chain: VirtioChain, written: UInt32, _ memory: GuestMemory, usesEventIndex: Bool
  ) throws(VirtioRingError) -> Bool {
    let place = deviceArea + 4 + 8 * UInt64(used % size)
    try store(UInt32(chain.head), place, memory)
    try store(written, place + 4, memory)
    used &+= 1
    try store(used, deviceArea + 2, memory)
    // The driver writes what it wants and then looks at the index; the device the other way round.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    guard usesEventIndex else { return try load(UInt16.self, driverArea, memory) & 1 == 0 }
    let event = try load(UInt16.self, driverArea + 4 + 2 * UInt64(size), memory)
    return event == used &- 1
  }

  private func load<T: FixedWidthInteger>(
    _ type: T.Type, _ address: UInt64, _ memory: GuestMemory
  ) throws(VirtioRingError) -> T {
    do throws(GuestMemoryError) { return try memory.load(type, at: address) } catch { throw .ring }
  }

  private func store<T: FixedWidthInteger>(
    _ value: T, _ address: UInt64, _ memory: GuestMemory
  ) throws(VirtioRingError) {
    do throws(GuestMemoryError) { try memory.store(value, at: address) } catch { throw .ring }
  }
}

extension VirtioQueue {
  /// How many values a queue is kept as.
  static let valueCount = 8

  /// The queue as a list of numbers.
  var values: [UInt64] {
    [
      UInt64(size), isEnabled ? 1 : 0, UInt64(vector), descriptors, driverArea, deviceArea, UInt64(available),
      UInt64(used),
    ]
  }

  /// The queue of such a list; nil for one that no queue in so much memory has.
  init?(values: [UInt64], limit: UInt16, memorySize: UInt64) {
    self.init(limit: limit)
    guard values.count == Self.valueCount, (1...UInt64(limit)).contains(values[0]), values[0].nonzeroBitCount == 1,
      values[1] <= 1, [2, 6, 7].allSatisfy({ values[$0] <= 0xffff })
    else { return nil }
    size = UInt16(values[0])
    isEnabled = values[1] == 1
    vector = UInt16(values[2])
    (descriptors, driverArea, deviceArea) = (values[3], values[4], values[5])
    (available, used) = (UInt16(values[6]), UInt16(values[7]))
    guard !isEnabled || isPlaced(inMemoryOf: memorySize) else { return nil }
  }
}

/// What a driver did to a virtqueue that none may do, for a person. The device then wants a reset.
enum VirtioRingError: String, Error, Sendable {
  case availableIndex = "the available index is ahead by more than the queue has"
  case descriptorNumber = "a descriptor's number is none of the queue's"
  case loop = "a chain has more descriptors than the queue: it leads back into itself"
  case buffer = "a descriptor has no bytes, or names what is not all guest memory"
  case order = "a descriptor that the device reads comes after one that it writes"
  case indirect = "a descriptor leads to a table of its own, which was not negotiated"
  case ring = "a part of the queue lies outside of guest memory, or is misaligned"
  case request = "a request has not the parts that its device demands"
}

/// A chain of descriptors: buffers in guest memory that the device reads, then such that it writes (virtio 1.2, section
/// 2.7.4). All of them were checked.
struct VirtioChain: Hashable, Sendable {
  /// A buffer in guest memory.
  struct Buffer: Hashable, Sendable {
    var address: UInt64
    var count: UInt32
  }

  /// The number of its first descriptor, by which the driver knows it.
  let head: UInt16
  /// What the device reads.
  var readable: [Buffer] = []
  /// What the device writes.
  var writable: [Buffer] = []

  /// How many bytes the device can read.
  var readableCount: UInt64 { readable.reduce(0) { $0 + UInt64($1.count) } }
  /// How many bytes the device can write.
  var writableCount: UInt64 { writable.reduce(0) { $0 + UInt64($1.count) } }

  /// Copies bytes out of what the device reads; fewer where it ends.
  ///
  /// - Parameters:
  ///   - count: how many at the most.
  ///   - offset: from where on, in bytes from its beginning.
  ///   - memory: the guest's.
  func read(_ count: Int, at offset: UInt64, _ memory: GuestMemory) throws(VirtioRingError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    try Self.forEachPart(of: readable, at: offset, count: count) { address, range throws(VirtioRingError) in
      guard let part = try? memory.read(range.count, at: address) else { throw .buffer }
      bytes += part
    }
    return bytes
  }

  /// Copies bytes into what the device writes.
  ///
  /// - Parameters:
  ///   - bytes: as many as fit are written.
  ///   - offset: where, in bytes from its beginning.
  ///   - memory: the guest's.
  func write(_ bytes: [UInt8], at offset: UInt64, _ memory: GuestMemory) throws(VirtioRingError) {
    try Self.forEachPart(of: writable, at: offset, count: bytes.count) { address, range throws(VirtioRingError) in
      guard (try? memory.write(bytes.span.extracting(range), at: address)) != nil else { throw .buffer }
    }
  }

  /// Hands out the parts of buffers that a range of bytes lies in: their addresses, and which of the bytes.
  private static func forEachPart(
    of buffers: [Buffer], at offset: UInt64, count: Int,
    _ body: (UInt64, Range<Int>) throws(VirtioRingError) -> Void
  ) throws(VirtioRingError) {
    var skipped = offset
    var done = 0
    for buffer in buffers where done < count {
      let size = UInt64(buffer.count)
      guard skipped < size else {
        skipped -= size
        continue
      }
      let part = Int(min(size - skipped, UInt64(count - done)))
      try body(buffer.address + skipped, done..<done + part)
      done += part
      skipped = 0
    }
  }
}
