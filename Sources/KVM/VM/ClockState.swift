/// The paravirtual clock of a machine (KVM API, KVM_GET_CLOCK).
public struct ClockState: Hashable, Sendable {
  /// What the guest's kvmclock shows, in nanoseconds.
  public var nanoseconds: UInt64

  /// The host's wall clock at that moment, in nanoseconds since 1970, when KVM could take both at once.
  public var realtime: UInt64?

  /// The host's TSC at that moment, when KVM could take both at once.
  public var hostTSC: UInt64?

  /// Whether every vCPU sees the same clock.
  public var isStable: Bool

  /// A clock; with `realtime`, setting it advances it by the time that passed since then.
  public init(nanoseconds: UInt64, realtime: UInt64? = nil, hostTSC: UInt64? = nil, isStable: Bool = false) {
    self.nanoseconds = nanoseconds
    self.realtime = realtime
    self.hostTSC = hostTSC
    self.isStable = isStable
  }
}
