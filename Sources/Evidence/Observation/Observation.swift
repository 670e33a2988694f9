public import APIC

/// The evidence of a case: what counters and tracepoints showed of its machine's interrupts.
public struct Observation: Hashable, Sendable {
  /// What tracepoints showed.
  public enum Trace: Hashable, Sendable {
    /// They were recorded, on these threads, by vCPU: more than one where the scenario went from machine to machine; these
    /// events does the kernel not have.
    case recorded(TraceRecording, threads: [[Int32]], absentEvents: [String])
    /// They could not be, for this reason.
    case unavailable(String)
  }

  /// The vCPUs, by index.
  public let vcpus: [VCPUObservation]
  /// The trace.
  public let trace: Trace
  /// The host's posted-interrupt vectors meanwhile.
  public let notifications: NotificationCounts
  /// How each interrupt got to the guest: by vCPU, then by vector.
  public let interrupts: [InterruptEvidence]
  /// What that cost.
  public let cost: DeliveryCost

  /// Draws the conclusions from what was seen.
  ///
  /// - Parameters:
  ///   - vcpus: what was seen of each vCPU.
  ///   - trace: what tracepoints showed.
  ///   - notifications: how often the host's posted-interrupt vectors came.
  ///   - deliversVirtually: whether the host has virtual-interrupt delivery; nil where nothing tells.
  ///   - latency: from the stimulus to the first interrupt, in cycles of the guest's TSC; nil where it is not known.
  public init(
    vcpus: [VCPUObservation], trace: Trace, notifications: NotificationCounts, deliversVirtually: Bool?,
    latency: UInt64? = nil
  ) {
    self.vcpus = vcpus
    self.trace = trace
    self.notifications = notifications
    cost = DeliveryCost(vcpus, latency: latency)
    let tally = TraceTally(trace)
    interrupts = vcpus.flatMap { vcpu in
      vcpu.interrupts.sorted { $0.key < $1.key }.map { vector, count in
        InterruptEvidence(
          vcpu, vector: vector, taken: count, tally: tally?[vcpu, vector], reinjections: tally?.reinjections(vcpu),
          deliversVirtually: deliversVirtually)
      }
    }
  }

  /// The recorded events; none without a trace.
  public var events: [TraceEvent] {
    guard case .recorded(let recording, _, _) = trace else { return [] }
    return recording.events
  }

  /// Why nothing proves that interrupts were posted into a running guest; nil where entries and exits were recorded, and
  /// no event was lost.
  public var obstacleToResidency: String? {
    switch trace {
    case .unavailable(let reason): return reason
    case .recorded(let recording, _, _) where recording.lost > 0: return "the trace lost \(recording.lost) events"
    case .recorded:
      return vcpus.allSatisfy { $0.residency != nil } ? nil : "kvm_entry and kvm_exit are not recorded here"
    }
  }

  /// Whether the kernel counts the injections of a vCPU, so that counters alone tell the way.
  public func countsInjections(on vcpu: Int) -> Bool {
    vcpus.first { $0.index == vcpu }?.counters?.injections != nil
  }

  /// The evidence in lines for a person: each interrupt's way, then what is missing.
  public var lines: [String] {
    var lines = interrupts.map(\.description)
    switch trace {
    case .recorded(let recording, _, let absent):
      if recording.lost > 0 { lines.append("the trace lost \(recording.lost) events: its buffer was full") }
      if recording.unknown > 0 { lines.append("the trace has \(recording.unknown) events that mean nothing here") }
      if !absent.isEmpty { lines.append("this kernel has no \(absent.joined(separator: ", "))") }
    case .unavailable(let reason):
      lines.append("counters alone: \(reason)")
    }
    if let count = notifications.notifications, count > 0 {
      lines.append("posted-interrupt notifications outside of guests, of the whole host: \(count)")
    }
    if let count = notifications.wakeups, count > 0 {
      lines.append("posted-interrupt wake-ups, of the whole host: \(count)")
    }
    return lines
  }
}

/// What was seen of a vCPU between a stimulus and the end of its scenario.
public struct VCPUObservation: Hashable, Sendable {
  /// The vCPU's index.
  public let index: Int
  /// KVM's id of it, which is its APIC id after reset.
  public let id: UInt32
  /// How much its statistics grew; nil where they could not be read.
  public let counters: CounterEvidence?
  /// How often the guest took each vector; those that it did not take are left out.
  public let taken: [Vector: Int]
  /// Interrupts that it took which say nothing of their own, such as those that only show that nothing else came. The
  /// counters have them.
  public let unshown: Int

  /// Where it was while the interrupts of each vector were delivered; nil where that was not recorded, or not wholly.
  public let residency: [Vector: DeliveryResidency]?

  /// An observation.
  public init(
    index: Int, id: UInt32, counters: CounterEvidence?, taken: [Vector: Int], unshown: Int = 0,
    residency: [Vector: DeliveryResidency]? = nil
  ) {
    self.unshown = unshown
    self.residency = residency
    self.index = index
    self.id = id
    self.counters = counters
    self.taken = taken.filter { $0.value > 0 }
  }

  /// How many interrupts of local APICs it took. Lower vectors are exceptions and NMIs, which no local APIC delivers as
  /// interrupts (SDM volume 3A, section 12.5.2).
  public var interruptsTaken: Int { interrupts.reduce(unshown) { $0 + $1.value } }

  /// Those interrupts, by vector.
  var interrupts: [Vector: Int] { taken.filter { $0.key.rawValue >= 16 } }
}

/// What was recorded of a machine, and how its interrupts got there.
public struct MachineRecording: Sendable {
  /// When recording began, from which times count.
  public let start: ContinuousClock.Instant
  private let recording: TraceRecording
  private let clock: TraceClock
  /// The kernel's ids of the vCPUs' threads, by index.
  public let threads: [Int32]
  /// KVM's ids of the vCPUs, by index.
  public let ids: [UInt32]
  /// The interrupts' journeys.
  public let journeys: [InterruptJourney]
  /// The kernel's names of exits.
  public let exitNames: ExitNames
  /// The kernel's names of inhibits.
  public let inhibitNames: InhibitNames
  /// What would be recorded if this kernel had it.
  public let absentEvents: [String]

  init(
    start: ContinuousClock.Instant, recording: TraceRecording, clock: TraceClock, threads: [Int32], ids: [UInt32],
    journeys: [InterruptJourney], exitNames: ExitNames, inhibitNames: InhibitNames,
    absentEvents: [String]
  ) {
    self.start = start
    self.recording = recording
    self.clock = clock
    self.threads = threads
    self.ids = ids
    self.journeys = journeys
    self.exitNames = exitNames
    self.inhibitNames = inhibitNames
    self.absentEvents = absentEvents
  }

  /// How many events were lost.
  public var lostEvents: UInt64 { recording.lost }

  /// Goes through the events in the order of time.
  ///
  /// - Parameter body: called with each, and with when it was, in nanoseconds since recording began.
  public func forEachEvent(_ body: (TraceEvent, Int64) -> Void) {
    for event in recording.events { body(event, clock.nanoseconds(event.time)) }
  }
}
