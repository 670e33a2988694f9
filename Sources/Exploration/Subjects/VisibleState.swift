public import APIC
public import KVM

/// Everything of a machine that can be seen without changing it.
public struct VisibleState: Sendable {
  /// What is seen of a vCPU.
  public struct VCPU: Sendable {
    /// Its local APIC's page.
    public var page = LocalAPICState()
    /// The counts that the current-count register may show.
    public var count: ClosedRange<UInt32> = 0...0
    /// IA32_APIC_BASE.
    public var base: UInt64 = 0
    /// IA32_TSC_DEADLINE.
    public var deadline: UInt64 = 0
    /// How many NMIs wait.
    public var nmis: UInt8 = 0

    init() {}
  }

  /// The vCPUs.
  public var vcpus: [VCPU]
  /// The vCPU whose MSRs and events are looked at, of the others they stay as they were; nil for all. A system call that
  /// loads a vCPU takes most of an exploration's time.
  public var turn: Int?
  /// The IOAPIC.
  public var ioapic: IOAPICState
  /// The master.
  public var master = PICState()
  /// The slave.
  public var slave = PICState()

  /// Whether the MSRs and events of a vCPU are looked at now.
  func looksInto(_ vcpu: Int) -> Bool { turn == nil || turn == vcpu }

  /// Nothing yet.
  public init(vcpus: Int) {
    self.vcpus = Array(repeating: VCPU(), count: vcpus)
    ioapic = IOAPICState(entries: [])
  }
}
