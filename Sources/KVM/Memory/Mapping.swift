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
