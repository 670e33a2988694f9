import CKVM
import SystemPackage

/// The one owner of a memory mapping, mmap(2), which it unmaps.
///
/// No pointer leaves it: every access is a checked copy. The memory may be shared with a guest that writes at the same
/// time, so an access of several bytes is whole only through `load(at:as:)` and `store(_:at:)`.
@safe public struct Mapping: ~Copyable, @unchecked Sendable {
  // Sendable is sound: the address never changes, and whoever else writes there (the guest does anyway) can change
  // only bytes, which nothing here trusts.

  /// How many bytes are mapped.
  public let size: Int

  /// The first byte, for the ioctls that take memory.
  let base: UnsafeMutableRawPointer

  /// Maps private memory that reads as zero and takes up room only once touched.
  ///
  /// - Parameter size: in bytes, above 0; the kernel rounds up to whole pages.
  /// - Throws: `KVMError` with EINVAL for no bytes, with ENOMEM when there is no room.
  public init(anonymous size: Int) throws(KVMError) {
    var address: UnsafeMutableRawPointer?
    // Sound: the shim stores the new mapping's address and keeps nothing.
    try attempt(.mmap, unsafe ckvm_map_anonymous(size, &address), detail: "\(size) bytes")
    guard let address = unsafe address else { throw KVMError(call: .mmap, errno: .badAddress) }
    unsafe base = address
    self.size = size
  }

  /// Maps a descriptor's first bytes, shared with the kernel.
  init(_ descriptor: borrowing OwnedDescriptor, size: Int) throws(KVMError) {
    var address: UnsafeMutableRawPointer?
    // Sound: as above.
    try attempt(.mmap, unsafe ckvm_map_shared(descriptor.rawValue, size, &address))
    guard let address = unsafe address else { throw KVMError(call: .mmap, errno: .badAddress) }
    unsafe base = address
    self.size = size
  }

  deinit { unsafe ckvm_unmap(base, size) }
}

extension Mapping {
  /// The address of a range, once it is known to be inside the mapping.
  func address(_ offset: Int, _ count: Int) throws(MemoryError) -> UnsafeMutableRawPointer {
    guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
      throw .outOfRange(offset: offset, count: count, size: size)
    }
    return unsafe base + offset
  }
}

/// The size of an x86 page in bytes, which memory slots are made of.
public let guestPageSize = 4096

extension Mapping {
  /// The pages that were touched since the memory was mapped or discarded; the others read as zero and need not be looked
  /// at, which would touch them.
  ///
  /// - Returns: ranges of page numbers, in order; all pages where the host does not tell (it has no /proc).
  public func touchedPages() -> [Range<Int>] {
    let pages = size / guestPageSize
    var touched = [UInt8](repeating: 0, count: pages)
    // Sound: the shim writes one byte a page, which the array has, and only looks the mapping's addresses up.
    guard unsafe ckvm_touched_pages(base, pages, &touched) == 0 else { return pages > 0 ? [0..<pages] : [] }
    var ranges: [Range<Int>] = []
    var start: Int?
    for (page, isTouched) in touched.enumerated() {
      if isTouched != 0 {
        start = start ?? page
      } else if let first = start {
        ranges.append(first..<page)
        start = nil
      }
    }
    if let first = start { ranges.append(first..<pages) }
    return ranges
  }

  /// Whether a range holds zeros only.
  ///
  /// - Parameters:
  ///   - offset: in bytes.
  ///   - count: in bytes, a multiple of 8.
  /// - Throws: `MemoryError` when the range is not inside the mapping.
  public func isZero(at offset: Int, count: Int) throws(MemoryError) -> Bool {
    // Sound: the range was checked to be inside the mapping.
    unsafe ckvm_is_zero(try address(offset, count), count)
  }
}

extension Mapping {
  /// Copies bytes of another mapping, which its guest may change meanwhile.
  ///
  /// - Parameters:
  ///   - source: where from.
  ///   - offset: where there, in bytes.
  ///   - count: how many bytes.
  ///   - place: where to, in bytes.
  /// - Throws: `MemoryError` when either range is not inside its mapping.
  public func copy(
    from source: borrowing Mapping, at offset: Int, count: Int, to place: Int
  ) throws(MemoryError) {
    // Sound: both ranges were checked to be inside their mappings, which are not one another.
    unsafe try address(place, count).copyMemory(from: source.address(offset, count), byteCount: count)
  }
}

/// Memory that can be a guest's: a mapping that several owners share.
///
/// A virtual machine keeps the regions of its slots alive, so memory that KVM may still touch is never unmapped and
/// its addresses never go to anything else.
public final class GuestRegion: Sendable {
  /// The memory, with its checked accesses.
  public let mapping: Mapping

  /// Shares a mapping.
  public init(_ mapping: consuming Mapping) {
    self.mapping = mapping
  }

  /// Maps zeroed private memory.
  ///
  /// - Parameter size: in bytes, above 0.
  /// - Throws: `KVMError` when there is no room.
  public convenience init(size: Int) throws(KVMError) {
    self.init(try Mapping(anonymous: size))
  }

  /// How many bytes it has.
  public var size: Int { mapping.size }
}

/// An access that does not lie within a mapping, or not on its boundaries.
public enum MemoryError: Error, Hashable, Sendable {
  /// `count` bytes at `offset` are not all inside the mapping's `size` bytes.
  case outOfRange(offset: Int, count: Int, size: Int)

  /// The offset is not a multiple of the access's natural alignment, in bytes.
  case misaligned(offset: Int, alignment: Int)
}

extension MemoryError: CustomStringConvertible {
  /// The access and what it violates.
  public var description: String {
    switch self {
    case .outOfRange(let offset, let count, let size):
      "\(count) bytes at offset \(offset) are not inside \(size) bytes of memory"
    case .misaligned(let offset, let alignment):
      "offset \(offset) is not a multiple of \(alignment)"
    }
  }
}
