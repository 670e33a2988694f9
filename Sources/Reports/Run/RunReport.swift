public import VMM

/// What a run showed: the one value behind the summary on a terminal and the JSON document `lapwing.run/1`.
///
/// The document's keys are these properties' names; docs/run-report.md describes them. Times are nanoseconds since the
/// program started.
public struct RunReport: Codable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.run/1"

  /// `lapwing.run/1`.
  public var schema = RunReport.schema
  /// What wrote it, and on which host; absent where that was not said.
  public var origin: ReportOrigin?
  /// The guest's name or path.
  public var guest: String
  /// Whether it succeeded: it said so, and no check of it failed.
  public var success: Bool
  /// How it ended.
  public var outcome: OutcomeReport
  /// What it ran on.
  public var machine: MachineReport
  /// When things happened.
  public var times: Times
  /// The interrupts that it recorded, by vector and vCPU.
  public var interrupts: [InterruptCount]
  /// What it checked.
  public var checks: [Check]
  /// All that it wrote down, in order.
  public var records: [RecordReport]
  /// Records that found no room in its log.
  public var droppedRecords: UInt64
  /// What it printed.
  public var console: ConsoleReport
  /// What was injected from outside, and what became of it; absent where nothing was asked for.
  public var injections: [InjectionReport]?
  /// How many requests of clients there were that `injections` does not have, after the first of them; absent for none.
  public var requestsLeftOut: Int?
  /// How its interrupts got there; absent unless that was asked for.
  public var trace: TraceReport?
  /// KVM's statistics of each vCPU.
  public var vcpuStatistics: [[String: UInt64]]
  /// KVM's statistics of the machine.
  public var vmStatistics: [String: UInt64]
  /// Ports that no device claims, and memory that is none.
  public var unclaimed: [UnclaimedReport]
  /// How drivers of virtio devices broke their queues, in words; absent for none.
  public var brokenQueues: [String]?
  /// The state of each vCPU at the end, where the guest failed.
  public var vcpus: [VCPUStateReport]
  /// Why it did, as far as the machine's state says; absent where it ended by itself, or succeeded.
  public var failure: FailureSituation?

  /// What a machine consists of.
  public struct MachineReport: Codable, Sendable {
    /// How many vCPUs.
    public var vcpus: Int
    /// Guest memory in bytes.
    public var memory: UInt64
    /// Where the IOAPIC and the PIC are.
    public var irqchip: MachineConfiguration.IRQChip
    /// How the guest finds its local APICs.
    public var apic: MachineConfiguration.APIC
    /// Who starts the application processors.
    public var start: MachineConfiguration.Start
    /// What kind of PC it is: `standard`, `unittest` or `linux`.
    public var profile: String
    /// The processor that the guest sees, such as `qemu64,+umip`; nil where no model was chosen.
    public var cpu: String?
    /// The kernel module behind /dev/kvm, such as `kvm_intel`.
    public var backEnd: String
    /// The frequency of the guest's TSC.
    public var tscKHz: UInt32
  }

  /// The moments of a run, in nanoseconds since the program started.
  public struct Times: Codable, Sendable {
    /// The machine was built and its vCPUs were let go.
    public var start: Int64
    /// The bootstrap processor ran its first instruction, as it says itself; absent for guests that do not say.
    public var firstInstruction: Int64?
    /// All vCPUs had left the guest.
    public var end: Int64
  }

  /// How often a vCPU took an interrupt through a vector.
  public struct InterruptCount: Codable, Sendable {
    /// The vector, 0 to 255.
    public var vector: UInt8
    /// The vCPU's index.
    public var vcpu: Int
    /// How often.
    public var count: Int
    /// When first.
    public var first: Int64
    /// When last.
    public var last: Int64
  }

  /// Something that should hold.
  public struct Check: Codable, Sendable {
    /// What.
    public var label: String
    /// Whether it did.
    public var holds: Bool
    /// What was seen, as the guest put it.
    public var saw: Int64
    /// The vCPU that looked.
    public var vcpu: Int
    /// When.
    public var time: Int64
  }

  /// What KVM's tracepoints showed.
  public struct TraceReport: Codable, Sendable {
    /// The way of each interrupt, in the order in which the guest took them, or else they were first seen.
    public var journeys: [JourneyReport]
    /// Events that the kernel threw away because nobody read them in time, and those that are too many to be kept.
    public var lostEvents: UInt64
    /// Events that meant nothing to this program.
    public var unknownEvents = 0
    /// Tracepoints that this kernel does not have, or has in another form.
    public var absentEvents: [String] = []
  }

  /// What was printed on the serial console.
  public struct ConsoleReport: Codable, Sendable {
    /// The text.
    public var text: String
    /// How many bytes came after the limit and are lost.
    public var droppedBytes: UInt64
  }

  /// Accesses of one bus that no device answered.
  public struct UnclaimedReport: Codable, Sendable {
    /// `port` or `memory`.
    public var bus: String
    /// How many.
    public var count: UInt64
    /// The first of them, in words.
    public var first: [String]
  }
}

/// How a guest ended, for a report.
public struct OutcomeReport: Codable, Sendable {
  /// What ended it.
  public var kind: Kind
  /// The guest's own status or the value of its debug exit; absent otherwise.
  public var status: UInt32?
  /// The vCPU that ended it, if one did.
  public var vcpu: Int?
  /// The same for a person.
  public var message: String

  /// The ways in which a guest ends, each with its word in a document.
  public enum Kind: String, Codable, Hashable, Sendable {
    /// It said that it is done.
    case finished
    /// It wrote to QEMU's port of debug exits.
    case debugExit = "debug-exit"
    /// A triple fault, or another shutdown of a processor.
    case shutdown
    /// It reset the machine.
    case reset
    /// It switched the machine off.
    case poweredOff = "powered-off"
    /// KVM_EXIT_SYSTEM_EVENT, or a port that turns the machine off.
    case systemEvent = "system-event"
    /// KVM cannot go on with it.
    case unrunnable
    /// KVM_RUN failed.
    case runFailed = "run-failed"
    /// Every vCPU waited, and nothing could wake one.
    case halted
    /// It did not end in time.
    case timeLimit = "time-limit"
    /// Somebody ended it.
    case stopped
  }

  init(_ outcome: Outcome) {
    message = outcome.description
    vcpu = outcome.vcpu
    switch outcome {
    case .finished(let status, _): (kind, self.status) = (.finished, status)
    case .debugExit(let value, _): (kind, status) = (.debugExit, value)
    case .shutdown: kind = .shutdown
    case .reset: kind = .reset
    case .poweredOff: kind = .poweredOff
    case .systemEvent: kind = .systemEvent
    case .unrunnable: kind = .unrunnable
    case .runFailed: kind = .runFailed
    case .halted: kind = .halted
    case .timeLimit: kind = .timeLimit
    case .stopped: kind = .stopped
    }
  }
}
