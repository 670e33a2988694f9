import APIC
public import Evidence

/// Counts what happens on one machine, event by event, in memory that is bounded whatever happens.
public struct MachineWatch {
  /// The machine, as it was looked at last.
  public private(set) var machine: ForeignMachine
  /// Whoever else wants to see what belongs to the machine.
  package weak var observer: (any WatchObserver)?
  private var owner: EventOwner
  private var tracker: JourneyTracker
  private let clock: TraceClock
  private let start: UInt64
  private var ids: [UInt32] = []
  private var table = InterruptTable()
  private var exits: [ExitReason: UInt64] = [:]
  private var lastExit: (reason: ExitReason, count: UInt64)?
  private var sawResidency = false
  private var x2APIC: (writes: UInt64, reads: UInt64) = (0, 0)
  private var halts = WatchInterval.Halts()
  private var inhibits = WatchInterval.Inhibits()
  private var ambiguous: UInt64 = 0
  private var intervalStart: UInt64

  /// How many reasons of exits are told apart, and how many changes of inhibits are kept of an interval.
  private static let (exitLimit, changeLimit) = (512, 64)

  /// - Parameters:
  ///   - machine: the machine.
  ///   - recorded: all machines whose events may be recorded, that one included.
  ///   - recordsAllThreads: whether the whole host is recorded; otherwise processes of machines alone are.
  ///   - recordsResidency: whether entries and exits are recorded.
  ///   - clock: that of the events' times.
  ///   - start: the host's TSC when recording began.
  package init(
    _ machine: ForeignMachine, among recorded: [ForeignMachine], recordsAllThreads: Bool, recordsResidency: Bool,
    clock: TraceClock, start: UInt64, processes: HostProcesses = HostProcesses()
  ) {
    self.machine = machine
    self.clock = clock
    self.start = start
    intervalStart = start
    owner = EventOwner(machine, recordsAllThreads: recordsAllThreads, processes)
    owner.note(recorded)
    tracker = JourneyTracker(clock, recordsResidency: recordsResidency, learnsThreads: owner.isAlone)
    note(machine, among: recorded)
  }

  /// Takes note of the machine as it is now: its vCPUs and their threads.
  public mutating func note(_ machine: ForeignMachine, among recorded: [ForeignMachine]) {
    self.machine = machine
    owner.note(recorded)
    tracker.learnsThreads = owner.isAlone
    for vcpu in machine.vcpus {
      if let index = tracker.vcpu(id: vcpu.id) {
        if let thread = vcpu.thread, tracker.vcpu(runBy: thread) != index { tracker.run(index, on: thread) }
      } else {
        tracker.addVCPU(id: vcpu.id, thread: vcpu.thread)
        ids.append(vcpu.id)
      }
    }
  }

  /// Events were lost that came before a time: nothing is concluded from what is not there.
  public mutating func lose(before time: UInt64) {
    var over: [TrackedJourney] = []
    tracker.lose(before: time) { over.append($0) }
    for journey in over { count(journey) }
  }

  /// Takes the next event, whosever it is.
  public mutating func take(_ event: TraceEvent) {
    let runner = tracker.vcpu(runBy: event.thread)
    if runner == nil {
      switch owner.owner(of: event.thread) {
      case .watched: break
      case .other: return
      case .byID: guard isOwnByID(event.detail) else { return }
      }
    }
    observer?.take(event, clock)
    var over: TrackedJourney?
    var more: [TrackedJourney] = []
    let step = tracker.take(event) { if over == nil { over = $0 } else { more.append($0) } }
    if let over { count(over) }
    for journey in more { count(journey) }
    count(event, step)
  }

  /// Whether an event on a thread of no machine's, or of several machines', is the watched machine's.
  private mutating func isOwnByID(_ detail: TraceEvent.Detail) -> Bool {
    switch detail {
    case .accepted(let id, _, _), .acceptedByHardware(let id, _, _), .endOfInterrupt(let id, _):
      guard tracker.vcpu(id: id) != nil else { return false }
      guard owner.isAmbiguous(id) else { return true }
      ambiguous += 1
      return false
    // What may raise an interrupt that names a vCPU, on the same thread.
    case .ipi, .message, .line, .acknowledged, .ioapic: return true
    case .injected, .wokenUp, .entered, .exited, .accessed: return false
    case .inhibit:
      ambiguous += 1
      return false
    }
  }

  private mutating func count(_ event: TraceEvent, _ step: JourneyStep) {
    guard let vcpu = step.vcpu, ids.indices.contains(vcpu) else {
      if case .inhibit(let isSet, let reason, let inForce) = event.detail { note(event.time, isSet, reason, inForce) }
      return
    }
    let id = ids[vcpu]
    switch event.detail {
    case .accepted(_, let vector, let mode):
      guard mode == .fixed || mode == .lowestPriority else { return }
      let source = named(step.source)
      table.count(vcpu, id, vector) { row in
        row.accepted += 1
        if step.isCoalesced { row.coalesced += 1 }
        row.add(source)
      }
    case .acceptedByHardware(_, let vector, _): table.count(vcpu, id, vector) { $0.posted += 1 }
    case .injected(let vector, let isReinjected):
      table.count(vcpu, id, vector) { if isReinjected { $0.reinjected += 1 } else { $0.injected += 1 } }
    case .endOfInterrupt(_, let vector?): table.count(vcpu, id, vector) { $0.ended += 1 }
    case .wokenUp(let hadSlept, let time):
      if hadSlept {
        halts.slept += 1
        halts.sleepTime &+= time
      } else {
        halts.polled += 1
        halts.pollTime &+= time
      }
    case .entered: sawResidency = true
    case .exited(let reason): count(reason)
    case .accessed(let register, let isWrite) where 0x800...0x8ff ~= register:
      if isWrite { x2APIC.writes += 1 } else { x2APIC.reads += 1 }
    case .accessed, .ipi, .message, .line, .acknowledged, .ioapic, .endOfInterrupt, .inhibit: break
    }
  }

  /// A source whose vCPU is told by its id: indices are in the order in which vCPUs came, which is no order of theirs.
  private func named(_ source: InterruptSource?) -> InterruptSource? {
    guard case .ipi(let index?) = source else { return source }
    return .ipi(vcpu: ids.indices.contains(index) ? Int(ids[index]) : nil)
  }

  private mutating func count(_ reason: ExitReason) {
    sawResidency = true
    var reason = reason
    // Flags of VT-x's reasons are above bit 15.
    if reason.architecture == 1 { reason.number &= 0xffff }
    reason.vector = nil
    if lastExit?.reason == reason {
      lastExit?.count += 1
      return
    }
    flushExits()
    lastExit = (reason, 1)
  }

  private mutating func flushExits() {
    guard let (reason, count) = lastExit else { return }
    lastExit = nil
    let isKept = exits[reason] != nil || exits.count < Self.exitLimit
    exits[isKept ? reason : ExitReason(number: .max, architecture: reason.architecture), default: 0] += count
  }

  private mutating func note(_ time: UInt64, _ isSet: Bool, _ reason: Int, _ inForce: UInt64) {
    let before = inhibits.inForce
    inhibits.inForce = inForce
    // KVM traces every request (`set_or_clear_apicv_inhibit`), also one for what holds already, or does not. Of the first
    // it is not known which it is.
    if let before, (before >> UInt64(clamping: reason) & 1 != 0) == isSet { return }
    inhibits.changeCount += 1
    guard inhibits.changes.count < Self.changeLimit else { return }
    let time = clock.nanoseconds(time) - clock.nanoseconds(start)
    inhibits.changes.append(WatchInterval.Inhibits.Change(time: time, reason: reason, isSet: isSet))
  }

  /// An interrupt is over.
  private mutating func count(_ journey: TrackedJourney) {
    observer?.take(journey, clock)
    guard ids.indices.contains(journey.vcpu) else { return }
    let id = ids[journey.vcpu]
    table.count(journey.vcpu, id, journey.vector) { $0.ways.add(journey.path, hasEnded: journey.ended != nil) }
    guard let accepted = journey.accepted else { return }
    if let injected = journey.injected, injected >= accepted, journey.path == .software {
      table.record(.injection, clock.nanoseconds(between: accepted, and: injected), journey.vcpu, id, journey.vector)
    }
    if let wokenUp = journey.wokenUp, wokenUp >= accepted {
      table.record(.wakeUp, clock.nanoseconds(between: accepted, and: wokenUp), journey.vcpu, id, journey.vector)
    }
  }

  /// Takes what was counted since the last call, and begins anew.
  ///
  /// - Parameters:
  ///   - now: the host's TSC.
  ///   - isLast: whether what is under way is told as far as it was seen.
  package mutating func takeInterval(_ now: UInt64, isLast: Bool) -> WatchInterval {
    if isLast {
      var over: [TrackedJourney] = []
      tracker.finish { over.append($0) }
      for journey in over { count(journey) }
    }
    flushExits()
    var interval = WatchInterval(machine)
    interval.length = Int64(clamping: clock.nanoseconds(between: intervalStart, and: max(now, intervalStart)))
    interval.end = Int64(clamping: clock.nanoseconds(between: start, and: now))
    interval.interrupts = table.take()
    interval.lacksLatencies = table.lacksLatencies
    if sawResidency {
      interval.exits = exits.map { WatchInterval.Exit(reason: $0.key, count: $0.value) }.sorted {
        ($1.count, $0.reason.number) < ($0.count, $1.reason.number)
      }
    }
    (interval.x2APICWrites, interval.x2APICReads) = (x2APIC.writes, x2APIC.reads)
    interval.halts = halts
    interval.inhibits = inhibits
    interval.ambiguous = ambiguous
    (exits, x2APIC, halts, ambiguous, intervalStart) = ([:], (0, 0), WatchInterval.Halts(), 0, now)
    (inhibits.changes, inhibits.changeCount) = ([], 0)
    return interval
  }
}

extension TraceClock {
  /// How long it is from one moment to a later one.
  func nanoseconds(between earlier: UInt64, and later: UInt64) -> UInt64 {
    UInt64(max(0, nanoseconds(later) - nanoseconds(earlier)))
  }
}
