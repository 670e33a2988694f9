import APIC

/// Follows interrupts while their events come, by the same rules by which a finished trace is put into journeys, in memory
/// that is bounded whatever happens: what is known of the past is what the events so far say.
///
/// An interrupt is over when another of its vector is delivered after it, when KVM sees the end of its service, or when
/// `finish` is called. One that was handed to the hardware while its vCPU was in the guest is told at the next exit.
public struct JourneyTracker {
  private var vcpus: [TrackedVCPU] = []
  private var vcpuOfID: [UInt32: Int] = [:]
  private var vcpuOfThread: [Int32: Int] = [:]
  private var raisingOfVCPU: [RaisingEvent] = []
  private var raisingOfOther: [Int32: RaisingEvent] = [:]
  /// The last that was looked up, since one is seldom alone.
  private var lastThread: (id: Int32, vcpu: Int?)?
  private let clock: TraceClock
  /// Whether an entry into the guest with a vCPU's id tells the thread of that vCPU: where no other machine's threads are
  /// recorded.
  package var learnsThreads: Bool
  private let recordsResidency: Bool
  /// From when on nothing was lost, as far as is known.
  private var wholeFrom: UInt64 = 0
  private var isWhole = true

  /// How many threads that run no vCPU are known at a time; what comes from more is not seen.
  private static let otherLimit = 4096

  /// Follows no vCPU yet.
  ///
  /// - Parameters:
  ///   - clock: that of the events' times.
  ///   - recordsResidency: whether entries and exits are recorded.
  ///   - learnsThreads: whether entries tell the threads of vCPUs.
  package init(_ clock: TraceClock, recordsResidency: Bool, learnsThreads: Bool) {
    self.clock = clock
    self.recordsResidency = recordsResidency
    self.learnsThreads = learnsThreads
  }

  /// How many vCPUs are followed.
  public var count: Int { vcpus.count }

  /// Follows one more vCPU, whose index is that of `count` before.
  ///
  /// - Parameters:
  ///   - id: KVM's id of it, which must be another than that of all others.
  ///   - thread: the kernel's id of the thread that runs it; nil where that is not known yet.
  public mutating func addVCPU(id: UInt32, thread: Int32?) {
    guard vcpuOfID[id] == nil else { return }
    vcpuOfID[id] = vcpus.count
    vcpus.append(TrackedVCPU(id: id, thread: nil))
    raisingOfVCPU.append(RaisingEvent())
    if let thread { run(vcpus.count - 1, on: thread) }
  }

  /// The index of the vCPU with an id.
  public func vcpu(id: UInt32) -> Int? { vcpuOfID[id] }

  /// The index of the vCPU that a thread runs.
  public func vcpu(runBy thread: Int32) -> Int? { vcpuOfThread[thread] }

  /// Says which thread runs a vCPU.
  ///
  /// - Parameters:
  ///   - index: the vCPU's; nothing is done where there is none with it.
  ///   - thread: the kernel's id of the thread.
  public mutating func run(_ index: Int, on thread: Int32) {
    guard vcpus.indices.contains(index) else { return }
    if let old = vcpus[index].thread { vcpuOfThread[old] = nil }
    if let other = vcpuOfThread[thread] { vcpus[other].thread = nil }
    vcpus[index].thread = thread
    vcpuOfThread[thread] = index
    raisingOfOther[thread] = nil
    lastThread = nil
  }

  /// Says that events were lost: what is under way is told as far as it was seen, and nothing is concluded until later.
  ///
  /// - Parameters:
  ///   - time: up to when events may be missing, in the unit of the trace's clock.
  ///   - body: called with each interrupt that was under way.
  public mutating func lose(before time: UInt64, _ body: (TrackedJourney) -> Void) {
    isWhole = false
    finish(body)
    wholeFrom = max(wholeFrom, time)
  }

  /// Tells all interrupts that are under way as far as they were seen: at the end.
  ///
  /// - Parameter body: called with each.
  public mutating func finish(_ body: (TrackedJourney) -> Void) {
    for index in vcpus.indices {
      let tells = recordsResidency && isWhole
      var drafts: [(Vector, InterruptDraft)] = []
      vcpus[index].finish { drafts.append(($0, $1)) }
      for (vector, draft) in drafts { body(journey(draft, index, vector, tellsPresence: tells)) }
    }
  }

  /// Takes the next event.
  ///
  /// - Parameters:
  ///   - event: in the order of time.
  ///   - body: called with each interrupt that is over by it.
  /// - Returns: what the event says of the vCPUs that are followed.
  @discardableResult
  public mutating func take(_ event: TraceEvent, _ body: (TrackedJourney) -> Void) -> JourneyStep {
    if !isWhole, event.time >= wholeFrom {
      finish(body)
      isWhole = true
    }
    let runner = runner(event.thread)
    switch event.detail {
    case .entered(let id): return enter(id, runner, event.thread)
    case .exited(let reason):
      guard let runner else { return JourneyStep() }
      let tells = recordsResidency && isWhole
      var over: [(Vector, InterruptDraft)] = []
      vcpus[runner].leave(event.time, reason) { over.append(($0, $1)) }
      for (vector, draft) in over { body(journey(draft, runner, vector, tellsPresence: tells)) }
      return JourneyStep(vcpu: runner)
    case .accepted(let id, let vector, let mode):
      return accept(event.time, id, vector, mode, on: event.thread, runner, body)
    case .acceptedByHardware(let id, let vector, _):
      guard let target = vcpuOfID[id] else { return JourneyStep() }
      vcpus[target].with(vector) { $0.post(event.time) }
      return JourneyStep(vcpu: target)
    case .injected(let vector, let isReinjected):
      note(event, runner)
      guard let runner else { return JourneyStep() }
      if !isReinjected { vcpus[runner].injects = true }
      let over = vcpus[runner].with(vector) { isReinjected ? $0.injectAnew(event.time) : $0.inject(event.time) }
      tell(over, runner, vector, body)
      return JourneyStep(vcpu: runner)
    case .endOfInterrupt(let id, let vector?):
      note(event, runner)
      guard let target = vcpuOfID[id] else { return JourneyStep() }
      let over = vcpus[target].with(vector) { $0.end(event.time) }
      tell(over, target, vector, body)
      return JourneyStep(vcpu: target)
    case .endOfInterrupt(let id, nil): return JourneyStep(vcpu: vcpuOfID[id])
    case .wokenUp(_, let halted):
      note(event, runner)
      guard let runner else { return JourneyStep() }
      let wakeUp = JourneyEvents.WakeUp(time: event.time, halted: halted)
      vcpus[runner].wakeUp(event.time, haltedSince: clock.beginning(of: wakeUp))
      return JourneyStep(vcpu: runner)
    case .ipi, .message, .line, .acknowledged, .ioapic:
      note(event, runner)
      return JourneyStep()
    case .accessed: return JourneyStep(vcpu: runner)
    case .inhibit: return JourneyStep()
    }
  }
}

extension JourneyTracker {
  private mutating func enter(_ id: UInt32, _ runner: Int?, _ thread: Int32) -> JourneyStep {
    var runner = runner
    if learnsThreads, runner.map({ vcpus[$0].id != id }) ?? true, let target = vcpuOfID[id] {
      run(target, on: thread)
      runner = target
    }
    guard let runner else { return JourneyStep() }
    vcpus[runner].presence.enter()
    return JourneyStep(vcpu: runner)
  }

  private mutating func accept(
    _ time: UInt64, _ id: UInt32, _ vector: Vector, _ mode: DeliveryMode?, on thread: Int32, _ runner: Int?,
    _ body: (TrackedJourney) -> Void
  ) -> JourneyStep {
    guard let target = vcpuOfID[id] else { return JourneyStep() }
    // INIT, SIPI, NMI and SMI are no interrupts, and have no vector or another meaning of it.
    guard mode == .fixed || mode == .lowestPriority else { return JourneyStep(vcpu: target) }
    let raising = runner.map { raisingOfVCPU[$0] } ?? raisingOfOther[thread] ?? RaisingEvent()
    let acceptance = Acceptance(
      time: time, thread: thread, origin: raising.origin(of: vector), presence: vcpus[target].presence)
    let knowledge = TraceKnowledge(
      tellsPresence: recordsResidency && isWhole, isWhole: isWhole, injects: vcpus[target].injects)
    var step = JourneyStep(vcpu: target)
    let (over, isCoalesced) = vcpus[target].accept(acceptance, vector, knowledge)
    step.isCoalesced = isCoalesced
    step.source = source(of: acceptance, target)
    tell(over, target, vector, body)
    return step
  }

  private mutating func tell(
    _ draft: InterruptDraft?, _ vcpu: Int, _ vector: Vector, _ body: (TrackedJourney) -> Void
  ) {
    let tells = recordsResidency && isWhole
    guard let draft else { return }
    guard tells else { return body(journey(draft, vcpu, vector, tellsPresence: tells)) }
    if let (vector, draft) = vcpus[vcpu].hold(draft, vector) {
      body(journey(draft, vcpu, vector, tellsPresence: tells))
    }
  }

  private func journey(
    _ draft: InterruptDraft, _ vcpu: Int, _ vector: Vector, tellsPresence: Bool
  ) -> TrackedJourney {
    TrackedJourney(
      draft, source: draft.acceptance.flatMap { source(of: $0, vcpu) }, vcpu: vcpu, vector: vector,
      tellsPresence: tellsPresence)
  }

  private func source(of acceptance: Acceptance, _ vcpu: Int) -> InterruptSource? {
    InterruptSource(
      acceptance.origin, on: vcpuOfThread[acceptance.thread], for: vcpu, localVector: nil)
  }

  private mutating func runner(_ thread: Int32) -> Int? {
    if let lastThread, lastThread.id == thread { return lastThread.vcpu }
    let vcpu = vcpuOfThread[thread]
    lastThread = (thread, vcpu)
    return vcpu
  }

  private mutating func note(_ event: TraceEvent, _ runner: Int?) {
    if let runner {
      raisingOfVCPU[runner].note(event.detail)
    } else {
      if raisingOfOther.count >= Self.otherLimit, raisingOfOther[event.thread] == nil { raisingOfOther = [:] }
      raisingOfOther[event.thread, default: RaisingEvent()].note(event.detail)
    }
  }
}
