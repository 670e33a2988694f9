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
