import APIC
public import Evidence
public import KVM
public import Watch

/// What was seen of a machine in an interval: the value behind `lapwing watch PID` and the JSON document `lapwing.watch/1`.
/// Counts are of the interval, times nanoseconds.
public struct WatchReport: Codable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.watch/1"

  /// `lapwing.watch/1`.
  public var schema = WatchReport.schema
  /// What wrote it, and on which host; absent where that was not said.
  public var origin: ReportOrigin?
  /// The id of the process that runs the machine.
  public var process: Int32
  /// The number of the machine's descriptor in that process.
  public var descriptor: Int32
  /// The name of the process; absent where it cannot be seen.
  public var program: String?
  /// When the interval ended, since watching began.
  public var time: Int64
  /// How long the interval was.
  public var length: Int64
  /// The vCPUs.
  public var vcpus: [VCPU]
  /// How many interrupts were accepted, those included that a filter leaves out of `interrupts`.
  public var accepted: UInt64
  /// The interrupts by vCPU and vector, the most frequent first.
  public var interrupts: [WatchedInterrupt]
  /// The exits by reason, the most frequent first; absent where nothing tells of exits.
  public var exits: [Exit]?
  /// How many exits there were.
  public var exitCount: UInt64?
  /// How many of those were the interrupts' doing, writes to the x2APIC included.
  public var interruptExits: UInt64?
  /// Writes to registers of the x2APIC with KVM's help; absent where this kernel does not tell.
  public var x2APICWrites: UInt64?
  /// Reads of such registers, likewise.
  public var x2APICReads: UInt64?
  /// How halted vCPUs went on.
  public var halts: Halts
  /// Whether the machine uses APICv.
  public var apicv: APICvReport
  /// How much the host's counts of posted-interrupt vectors grew, of all machines together.
  public var notifications: Notifications
  /// Events that may be this machine's or another's.
  public var ambiguousEvents: UInt64
  /// Events that were lost.
  public var lostEvents: UInt64
  /// Tracepoints that this kernel lacks.
  public var absentEvents: [String]
  /// Whether the machine has ended.
  public var hasEnded: Bool
  /// What could not be known, in words.
  public var notes: [String]

  /// A vCPU.
  public struct VCPU: Codable, Sendable {
    /// KVM's id of it.
    public var id: UInt32
    /// The id of the thread that runs it; absent where it is not known.
    public var thread: Int32?
  }

  /// Exits for a reason.
  public struct Exit: Codable, Sendable {
    /// The kernel's name of it, or its number.
    public var reason: String
    /// How many.
    public var count: UInt64
    /// What of the interrupts' doing it is; absent where it is not.
    public var doing: String?
  }

  /// How halted vCPUs went on.
  public struct Halts: Codable, Sendable {
    /// How often while KVM polled for an interrupt.
    public var polled: UInt64
    /// How often after the thread had slept.
    public var slept: UInt64
    /// How long KVM polled.
    public var pollTime: UInt64
    /// How long the threads slept.
    public var sleepTime: UInt64
  }

  /// The host's counts (/proc/interrupts), each absent where the host has no such row.
  public struct Notifications: Codable, Sendable {
    /// Row PIN.
    public var posted: UInt64?
    /// Row NPI.
    public var nested: UInt64?
    /// Row PIW.
    public var wakeups: UInt64?
  }
}

extension WatchReport {
  /// What the report is made with.
  public struct Context: Sendable {
    /// The kernel's names of exits.
    public var exitNames: ExitNames
    /// The kernel's names of inhibits.
    public var inhibitNames: InhibitNames
    /// Tracepoints that the kernel lacks.
    public var absentEvents: [String]
    /// Whether the host has APICv.
    public var apicv: HostFeature
    /// Whether all threads of the host are recorded.
    public var recordsAllThreads: Bool

    init(
      exitNames: ExitNames = ExitNames(), inhibitNames: InhibitNames, apicv: HostFeature,
      recordsAllThreads: Bool = false
    ) {
      self.exitNames = exitNames
      self.inhibitNames = inhibitNames
      absentEvents = []
      self.apicv = apicv
      self.recordsAllThreads = recordsAllThreads
    }

    /// - Parameters:
    ///   - watcher: what watches.
    ///   - apicv: whether the host has APICv.
    ///   - recordsAllThreads: whether all threads of the host are recorded.
    public init(_ watcher: Watcher, apicv: HostFeature, recordsAllThreads: Bool) {
      exitNames = watcher.exitNames
      inhibitNames = watcher.inhibitNames
      absentEvents = watcher.absentEvents
      self.apicv = apicv
      self.recordsAllThreads = recordsAllThreads
    }
  }

  /// The report of an interval.
  ///
  /// - Parameters:
  ///   - interval: that.
  ///   - context: what it is made with.
  ///   - filter: whose interrupts are shown.
  public init(_ interval: WatchInterval, _ context: Context, filter: WatchFilter = WatchFilter()) {
    process = interval.machine.process
    descriptor = interval.machine.descriptor
    program = interval.machine.program
    (time, length) = (interval.end, interval.length)
    vcpus = interval.machine.vcpus.map { VCPU(id: $0.id, thread: $0.thread) }
    accepted = interval.accepted
    let hasAPICv = context.apicv.isAvailable
    interrupts = interval.interrupts.filter(filter.shows)
      .map { WatchedInterrupt($0, hasAPICv: hasAPICv) }
      .sorted { ($1.total, $0.vcpu, $0.vector) < ($0.total, $1.vcpu, $1.vector) }
    exits = interval.exits.map { exits in
      exits.map { exit in
        Exit(
          reason: exit.reason.number == .max ? "others" : context.exitNames[exit.reason], count: exit.count,
          doing: InterruptExit(exit.reason)?.rawValue)
      }
    }
    exitCount = interval.exits.map { $0.reduce(0) { $0 + $1.count } }
    interruptExits = interval.exits.map { exits in
      let own = exits.reduce(0) { $0 + (InterruptExit($1.reason) == nil ? 0 : $1.count) }
      // What KVM emulates writes registers without an exit of its own.
      return min(own + (interval.x2APICWrites ?? 0), exits.reduce(0) { $0 + $1.count })
    }
    (x2APICWrites, x2APICReads) = (interval.x2APICWrites, interval.x2APICReads)
    halts = Halts(
      polled: interval.halts.polled, slept: interval.halts.slept, pollTime: interval.halts.pollTime,
      sleepTime: interval.halts.sleepTime)
    apicv = APICvReport(interval, context)
    notifications = Notifications(
      posted: interval.notifications.notifications, nested: interval.notifications.nestedNotifications,
      wakeups: interval.notifications.wakeups)
    (ambiguousEvents, lostEvents, hasEnded) = (interval.ambiguous, interval.lost, interval.hasEnded)
    absentEvents = context.absentEvents
    notes = Self.notes(interval, context)
  }

  /// Exits that are the interrupts' doing, for each that was accepted; nil where nothing tells, or none was.
  var exitsPerInterrupt: Double? {
    guard let interruptExits, accepted > 0 else { return nil }
    return Double(interruptExits) / Double(accepted)
  }
}

/// Whose interrupts are shown.
public struct WatchFilter: Hashable, Sendable {
  /// Those of these vCPUs, by id; of all where there is none.
  public var vcpus: Set<UInt32>
  /// Those of these vectors; of all where there is none.
  public var vectors: Set<UInt8>

  /// A filter; by default one that lets all through.
  public init(vcpus: Set<UInt32> = [], vectors: Set<UInt8> = []) {
    self.vcpus = vcpus
    self.vectors = vectors
  }

  func shows(_ count: InterruptCount) -> Bool {
    (vcpus.isEmpty || vcpus.contains(count.vcpu)) && (vectors.isEmpty || vectors.contains(count.vector.rawValue))
  }
}
