public import APIC
public import KVM
public import VMM

/// Gathers the evidence of one machine's run, on the thread that owns the machine.
///
/// Nothing it does takes a vCPU out of the guest.
public final class Recorder {
  private struct Reading {
    let statistics: [Statistics?]
    let taken: [[Int]]
    let notifications: NotificationCounts
    /// The guest's TSC, read last: what follows the reading is the scenario's.
    let tsc: UInt64
  }

  private let pool: TracePool?
  private let deliversVirtually: Bool?
  private let start = TraceClock.now()
  private let unshown: Vector?
  private var log: TraceLog?
  private var trace = Observation.Trace.unavailable("nothing is recorded")
  private var before: Reading?
  private var hasStimulus = false
  /// What machines before this one showed since the reading, and their threads: by vCPU.
  private var carried: [CounterEvidence?] = []
  private var formerThreads: [[Int32]] = []
  private var senders: [JourneyEvents.Place: ProcessorIPIs.Sender] = [:]

  /// Begins to record, before the machine is started: its threads are recorded because this one starts them.
  ///
  /// - Parameters:
  ///   - pool: where a trace instance is to be had; nil for counters alone.
  ///   - unshown: a vector whose interrupts are no evidence; nil for none.
  ///   - withResidency: record when vCPUs enter the guest and leave it, which alone proves that an interrupt was posted.
  ///   - deliversVirtually: whether the host has virtual-interrupt delivery; nil where nothing tells.
  public init(
    _ pool: TracePool?, leavingOut unshown: Vector? = nil, withResidency: Bool, deliversVirtually: Bool?
  ) {
    self.pool = pool
    self.unshown = unshown
    self.deliversVirtually = deliversVirtually
    guard let pool else { return }
    var lent: TraceInstance?
    do throws(TraceUnavailable) {
      let instance = try pool.lend()
      lent = instance
      log = try TraceLog(beginning: instance, withResidency: withResidency)
    } catch {
      trace = .unavailable(error.description)
      if let lent { pool.giveBack(lent) }
    }
  }

  deinit {
    guard let log else { return }
    _ = try? log.instance.end()
    pool?.giveBack(log.instance)
  }

  /// Reads the counters from which growth is counted: at a scenario's beginning, and anew at its first stimulus.
  ///
  /// - Parameters:
  ///   - machine: the machine.
  ///   - statistics: its vCPUs' statistics, opened before they ran.
  ///   - isStimulus: whether the stimulus comes next; later ones change nothing.
  public func mark(_ machine: Machine, _ statistics: [StatisticsFile], isStimulus: Bool) {
    guard !hasStimulus else { return }
    hasStimulus = isStimulus
    log?.drain()
    log?.mark()
    carried = []
    // Injections come before what they inject is taken: read in this order, none is taken without being counted.
    let counters = statistics.map { try? $0.read() }
    before = Reading(
      statistics: counters, taken: Self.taken(machine), notifications: NotificationCounts.read(),
      tsc: machine.clock.tsc(at: .now))
  }

  /// Notes that a vCPU is about to send a vector to another: where processors carry this out themselves (IPI
  /// virtualization), no event shows it.
  ///
  /// - Parameters:
  ///   - vector: the vector.
  ///   - sender: the index of the vCPU that sends it.
  ///   - vcpu: that of the vCPU that gets it.
  public func noteIPI(_ vector: Vector, from sender: Int, to vcpu: Int) {
    let place = JourneyEvents.Place(vcpu: vcpu, vector: vector)
    guard log != nil else { return }
    let known = senders[place]
    senders[place] = ProcessorIPIs.Sender(
      vcpu: known.map { $0.vcpu == sender } ?? true ? sender : nil,
      since: known?.since ?? TraceClock.now().cycles)
  }

  /// Goes on with a machine that was made from the state of another: what the other's vCPUs showed is kept.
  ///
  /// - Parameters:
  ///   - machine: the new machine, before it is started, and by the thread that recording began with.
  ///   - statistics: its vCPUs' statistics.
  ///   - oldStatistics: those of the vCPUs that it takes the place of, which no longer run.
  ///   - oldThreads: the kernel's ids of their threads.
  public func follow(
    to machine: Machine, _ statistics: [StatisticsFile], from oldStatistics: [StatisticsFile],
    threads oldThreads: [Int32]
  ) {
    log?.drain()
    for (index, thread) in oldThreads.enumerated() {
      if formerThreads.indices.contains(index) {
        formerThreads[index].append(thread)
      } else {
        formerThreads.append([thread])
      }
    }
    guard let before else { return }
    carried = growth(oldStatistics.map { try? $0.read() })
    self.before = Reading(
      statistics: statistics.map { try? $0.read() }, taken: before.taken, notifications: before.notifications,
      tsc: before.tsc)
  }

  /// How much each vCPU's counters have grown, on all machines together; nil where that is not known.
  private func growth(_ after: [Statistics?]) -> [CounterEvidence?] {
    after.indices.map { index in
      guard let before, let earlier = before.statistics[index], let later = after[index] else { return nil }
      let growth = CounterEvidence(before: earlier, after: later)
      guard carried.indices.contains(index) else { return growth }
      return carried[index].map(growth.adding)
    }
  }

  /// The events recorded so far, from the machine's start; nil where none can be.
  public func events() -> [TraceEvent]? {
    log?.drain()
    return log?.recording().events
  }

  /// Ends recording.
  ///
  /// - Parameters:
  ///   - machine: the machine, whose vCPUs may still run.
  ///   - statistics: its vCPUs' statistics.
  ///   - threads: the kernel's ids of its threads, by vCPU.
  /// - Returns: what was seen since the stimulus; nil where the scenario did not begin.
  public func finish(_ machine: Machine, _ statistics: [StatisticsFile], threads: [Int32]) -> Observation? {
    guard let before else { return nil }
    let now = machine.clock.tsc(at: .now)
    let taken = Self.taken(machine)
    let after = statistics.map { try? $0.read() }
    let notifications = NotificationCounts.read().growth(since: before.notifications)
    log?.end()
    let counters = growth(after)
    let interrupts = machine.log.interrupts(since: before.tsc, before: now)
    let residency = residency(of: machine, interrupts, threads)
    let vcpus = machine.vcpus.indices.map { index in
      var growth: [Vector: Int] = [:]
      for vector in 0...UInt8.max {
        let number = Int(vector)
        growth[Vector(rawValue: vector)] = taken[index][number] - before.taken[index][number]
      }
      let left = unshown.flatMap { growth.removeValue(forKey: $0) } ?? 0
      return VCPUObservation(
        index: index, id: machine.configuration.apicIDs[index], counters: counters[index], taken: growth,
        unshown: left, residency: residency?[index] ?? (residency == nil ? nil : [:]))
    }
    if let log {
      let all = threads.enumerated().map { index, thread in
        (formerThreads.indices.contains(index) ? formerThreads[index] : []) + [thread]
      }
      trace = .recorded(log.recording(.sinceMark), threads: all, absentEvents: log.instance.absentEvents)
    }
    // A TSC that the scenario set would show cycles that have not passed.
    let latency = interrupts.first.map { $0.tsc - before.tsc }
    return Observation(
      vcpus: vcpus, trace: trace, notifications: notifications, deliversVirtually: deliversVirtually, latency: latency)
  }

  /// Where the vCPUs were while their interrupts were delivered, by vCPU and vector; nil where that was not recorded
  /// wholly, or the machine was made from another, whose entries and exits are not told apart.
  private func residency(
    of machine: Machine, _ interrupts: [(vcpu: Int, vector: Vector, tsc: UInt64)], _ threads: [Int32]
  ) -> [Int: [Vector: DeliveryResidency]]? {
    guard let log, formerThreads.isEmpty, log.instance.countsCycles, log.instance.recordsResidency, log.isWhole,
      let guest = try? machine.withVCPUStopped(0, { vcpu throws(KVMError) in try GuestTSC(of: vcpu) })
    else { return nil }
    var events = JourneyEvents()
    // Where the vCPUs were begins before the stimulus does.
    for event in log.recording(.beforeMark).events { events.take(event, isKept: false) }
    for event in log.recording(.sinceMark).events { events.take(event) }
    guard events.tellPresence else { return nil }
    let finder = JourneyFinder(
      events: events, threads: threads, ids: machine.configuration.apicIDs,
      clock: TraceClock(start, TraceClock.now()), guest: guest, tellsPresence: true,
      processorIPIs: ProcessorIPIs(senders, log.recording().events))
    let journeys = finder.writtenJourneys(
      of: interrupts.map { InterruptTaken(vcpu: $0.vcpu, vector: $0.vector, tsc: $0.tsc) })
    var result: [Int: [Vector: DeliveryResidency]] = [:]
    for journey in journeys {
      result[journey.vcpu, default: [:]][journey.vector, default: DeliveryResidency()].add(
        journey, exit: (journey.exit ?? journey.exitBefore).map { log.instance.exitNames[$0] })
    }
    return result
  }

  /// What was recorded of the machine from its start on, and the journeys of its interrupts; after `finish`. nil where nothing
  /// can be made of it: without a trace or the TSC's times, or where a scenario went from machine to machine, whose TSCs may
  /// differ.
  ///
  /// - Parameters:
  ///   - machine: the machine, whose vCPUs may still run.
  ///   - threads: the kernel's ids of its threads, by vCPU.
  public func recording(of machine: Machine, threads: [Int32]) -> MachineRecording? {
    guard let log, formerThreads.isEmpty, log.instance.countsCycles,
      let guest = try? machine.withVCPUStopped(0, { vcpu throws(KVMError) in try GuestTSC(of: vcpu) })
    else { return nil }
    let recording = log.recording()
    var events = JourneyEvents()
    for event in recording.events { events.take(event) }
    let finder = JourneyFinder(
      events: events, threads: threads, ids: machine.configuration.apicIDs, clock: TraceClock(start, TraceClock.now()),
      guest: guest, tellsPresence: log.instance.recordsResidency && log.isWhole && events.tellPresence,
      isWhole: log.isWhole, processorIPIs: ProcessorIPIs(senders, recording.events))
    let taken = machine.log.interrupts(since: 0, before: .max)
      .map { InterruptTaken(vcpu: $0.vcpu, vector: $0.vector, tsc: $0.tsc) }.filter { $0.vector != unshown }
    let journeys = finder.journeys(of: taken).filter { $0.vector != unshown }
    return MachineRecording(
      start: start.value, recording: recording, clock: finder.clock, threads: threads, ids: finder.ids,
      journeys: journeys, exitNames: log.instance.exitNames, inhibitNames: log.instance.inhibitNames,
      absentEvents: log.instance.absentEvents)
  }

  private static func taken(_ machine: Machine) -> [[Int]] {
    machine.vcpus.indices.map { vcpu in
      (0...UInt8.max).map { machine.recorded(Vector(rawValue: $0), on: vcpu) }
    }
  }
}
