import VMM

/// The interrupts that clients of the control socket asked for, in order: as many as are kept, as clients may flood it.
public struct RequestedInjections: Hashable, Sendable {
  /// One of them.
  public struct Request: Hashable, Sendable {
    /// What.
    public var stimulus: Stimulus
    /// When KVM was told.
    public var time: ContinuousClock.Instant
    /// What it answered; of an NMI whose vCPU had to leave the guest first, that it was sent.
    public var answer: InjectionAnswer
  }

  /// How many are kept.
  public static let limit = 65_536

  /// The first of them.
  public private(set) var kept: [Request] = []
  /// How many came after those.
  public private(set) var leftOut = 0

  init() {}

  mutating func add(_ request: Request) {
    if kept.count < Self.limit { kept.append(request) } else { leftOut += 1 }
  }
}
