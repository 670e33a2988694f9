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
