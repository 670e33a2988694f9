import APIC

/// Accesses that no device answered: how many, and the first of them. A guest cannot make this grow.
public struct UnclaimedAccesses: Hashable, Sendable {
  /// One of them.
  public struct Access: Hashable, Sendable {
    /// The port or guest-physical address.
    public var address: UInt64
    /// How many bytes.
    public var width: Int
    /// The index of the vCPU.
    public var vcpu: Int
    /// Whether it was a write.
    public var isWrite: Bool
  }

  static let kept = 8

  /// How many there were.
  public private(set) var count: UInt64 = 0
  /// The first of them, by address; at most eight.
  public private(set) var first: [Access] = []

  mutating func add(_ access: Access) {
    count += 1
    if first.count < Self.kept, !first.contains(where: { $0.address == access.address }) { first.append(access) }
  }
}

extension UnclaimedAccesses.Access: CustomStringConvertible {
  /// The access, for a person.
  public var description: String {
    "vCPU \(vcpu) \(isWrite ? "wrote" : "read") \(width) byte\(width == 1 ? "" : "s") at \(hex(address))"
  }
}
