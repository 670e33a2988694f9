/// Something that KVM can or cannot do on a host (KVM API, KVM_CHECK_EXTENSION).
public struct Capability: RawRepresentable, Sendable {
  /// KVM's number.
  public let rawValue: UInt32

  /// The constant's name in `linux/kvm.h`, such as `KVM_CAP_IRQCHIP`.
  public let name: String

  /// The capability with that number, whether this library knows it or not.
  public init(rawValue: UInt32) {
    self = Self.known.first { $0.rawValue == rawValue } ?? Capability("KVM_CAP_\(rawValue)", rawValue)
  }

  init(_ name: String, _ rawValue: some BinaryInteger) {
    self.rawValue = UInt32(rawValue)
    self.name = name
  }

  /// The capabilities that interrupts, vCPUs and machines involve, in that order: what a survey of a host asks about.
  public static let known: [Capability] = interruptsGroup + vcpuGroup + vmGroup
}

extension Capability: Hashable {
  /// Whether two capabilities have the same number.
  public static func == (left: Capability, right: Capability) -> Bool { left.rawValue == right.rawValue }

  /// Feeds the number to a hasher.
  public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

extension Capability: CustomStringConvertible {
  /// The constant's name.
  public var description: String { name }
}
