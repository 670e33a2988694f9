public import Evidence

/// What was seen of a machine in an interval.
public struct WatchInterval: Hashable, Sendable {
  /// When it ended, in nanoseconds since watching began.
  public var end: Int64 = 0
  /// How long it was, in nanoseconds.
  public var length: Int64 = 0
  /// The machine as it was at the interval's end.
  public var machine: ForeignMachine
  /// Its interrupts, by vCPU and vector.
  public var interrupts: [InterruptCount] = []
  /// Its exits by reason; nil where nothing tells of exits, as a back end without kvm_exit does.
  public var exits: [Exit]?
  /// How many registers of the x2APIC were written with KVM's help (kvm_msr); nil where this kernel does not say.
  public var x2APICWrites: UInt64?
  /// How many of them were read so, likewise.
  public var x2APICReads: UInt64?
  /// How its vCPUs waited.
  public var halts = Halts()
  /// What is known of APICv's inhibits.
  public var inhibits = Inhibits()
  /// Events that may be this machine's or another's: they name a vCPU's id that several have, on threads of neither.
  public var ambiguous: UInt64 = 0
  /// How many events were lost.
  public var lost: UInt64 = 0
  /// Whether there were more vectors than latencies are kept of.
  public var lacksLatencies = false
  /// Whether the machine has ended.
  public var hasEnded = false
  /// How much the host's counts of posted-interrupt vectors grew.
  public var notifications = NotificationCounts(text: "")

  /// How often vCPUs left the guest for a reason.
  public struct Exit: Hashable, Sendable {
    /// The reason.
    public var reason: ExitReason
    /// How often.
    public var count: UInt64
  }

  /// How vCPUs that were halted went on (kvm_vcpu_wakeup).
  public struct Halts: Hashable, Sendable {
    /// How often while KVM polled for an interrupt.
    public var polled: UInt64 = 0
    /// How often the thread had slept.
    public var slept: UInt64 = 0
    /// Nanoseconds of polling.
    public var pollTime: UInt64 = 0
    /// Nanoseconds of sleeping.
    public var sleepTime: UInt64 = 0
  }

  /// What kvm_apicv_inhibit_changed told.
  public struct Inhibits: Hashable, Sendable {
    /// The bits of what holds; nil before the first event of it.
    public var inForce: UInt64?
    /// The changes in the interval, no more than a few.
    public var changes: [Change] = []
    /// How many changes there were.
    public var changeCount: UInt64 = 0

    /// An inhibit that was set or taken back. The first that is seen may be one that held before already, or did not.
    public struct Change: Hashable, Sendable {
      /// When, in nanoseconds since watching began.
      public var time: Int64
      /// The number of the reason.
      public var reason: Int
      /// Whether it was set.
      public var isSet: Bool
    }
  }

  init(_ machine: ForeignMachine) {
    self.machine = machine
  }
}

extension WatchInterval {
  /// All that were accepted.
  public var accepted: UInt64 { interrupts.reduce(0) { $0 + $1.accepted } }
}
