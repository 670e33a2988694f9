public import APIC

/// An interrupt as the guest's handler wrote it down.
public struct InterruptTaken: Hashable, Sendable {
  /// The index of the vCPU that took it.
  public var vcpu: Int
  /// Its vector.
  public var vector: Vector
  /// What the guest's TSC was when the handler wrote it down.
  public var tsc: UInt64

  /// An interrupt that was taken then.
  public init(vcpu: Int, vector: Vector, tsc: UInt64) {
    self.vcpu = vcpu
    self.vector = vector
    self.tsc = tsc
  }
}
