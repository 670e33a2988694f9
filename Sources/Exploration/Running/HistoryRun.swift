import APIC
public import KVM
public import ReferenceModel

/// One history on two machines: the model, and the one that is looked at.
///
/// After each step every answer and all visible state must be what the model allows.
public final class HistoryRun {
  let expected: ModelSubject
  /// What else the model may be, after steps of several actors at the same time that more than one order explains.
  var others: [ReferenceMachine] = []
  let seen: any InterruptSubject
  var expectedView: VisibleState
  var seenView: VisibleState
  let clock: () -> UInt64
  private let takesTurns: Bool
  private var steps = 0
  /// How long the other's calls took so far, in nanoseconds.
  var callTime: UInt64 = 0
  /// What steps of several actors have come to.
  var orders = OrderCounts()
  /// Whether what a step led to is not known, because it has too many orders: nothing can be compared any more.
  var isUndecided = false
  /// What the model answered to the last step; nil where the other's call failed, and for a step that was left out.
  var lastAnswer: StepAnswer?
  /// The rules of the model that were met so far.
  var metRules: ModelRuleSet { expected.machine.metRules }
  /// What the other answered to it.
  var lastSeen: StepAnswer?
  /// What came of the orders of the last step, and what its actors were answered.
  var lastExpectedText: String?
  var lastSeenText: String?

  /// Begins a history.
  ///
  /// - Parameters:
  ///   - machine: What it begins with.
  ///   - deviations: Which kernel the model stands for.
  ///   - subject: The machine that is looked at, after power-on.
  ///   - takesTurns: Whether MSRs and events are compared of one vCPU after each step, in turns, and not of all.
  ///   - clock: The time in nanoseconds that both timers count in.
  /// - Throws: `KVMError` where the machine cannot be brought to the history's beginning.
  public init(
    _ machine: HistoryMachine, deviations: Deviations, subject: any InterruptSubject, takesTurns: Bool = false,
    clock: @escaping () -> UInt64
  ) throws(KVMError) {
    expected = ModelSubject(ReferenceMachine.Configuration(vcpus: machine.vcpus, deviations: deviations))
    seen = subject
    self.clock = clock
    self.takesTurns = takesTurns
    expectedView = VisibleState(vcpus: machine.vcpus)
    seenView = VisibleState(vcpus: machine.vcpus)
    expected.moment = Moment(clock())
    try Self.begin(machine, expected)
    try Self.begin(machine, seen)
  }

  /// Enables the local APICs, in the history's mode, each with a logical ID of its own.
  static func begin(_ machine: HistoryMachine, _ subject: any InterruptSubject) throws(KVMError) {
    for vcpu in 0..<machine.vcpus {
      if machine.startsInX2APIC {
        let base = APICBase.defaultAddress | 0xc00 | (vcpu == 0 ? 0x100 : 0)
        _ = try subject.writeMSR(vcpu, MSR.apicBase, base)
        _ = try subject.writeMSR(vcpu, LocalAPICRegister.spurious.msr, 0x1ff)
      } else {
        var state = try subject.localAPIC(vcpu)
        state[.spurious] = 0x1ff
        state[.logicalDestination] = 1 << UInt32(24 + vcpu)
        _ = try subject.setLocalAPIC(vcpu, state)
      }
      _ = try subject.setActivity(vcpu, .runnable)
    }
  }

  /// Looks at the other machine.
  ///
  /// - Parameter turn: The vCPU whose MSRs and events are looked at; nil for all.
  /// - Returns: When.
  func observe(turn: Int?) throws(KVMError) -> Moment {
    steps += 1
    (expectedView.turn, seenView.turn) = (turn, turn)
    let before = clock()
    try seen.observe(&seenView)
    let after = clock()
    callTime &+= after &- before
    return Moment(earliest: before, latest: after)
  }

  /// Does the next step on both.
  ///
  /// - Returns: What differs, a call that fails too; nothing where the machine did as the model does.
  /// - Throws: `KVMError` where the host has run out of something, which says nothing of its KVM.
  public func perform(_ step: Step) throws(KVMError) -> [StateMismatch] {
    (lastAnswer, lastSeen, lastExpectedText, lastSeenText) = (nil, nil, nil, nil)
    do throws(KVMError) {
      return try step.isConcurrent ? performConcurrently(step.actors) : performOnBoth(step)
    } catch {
      guard !error.isShortage else { throw error }
      return [StateMismatch(error.call.description, "an answer", error)]
    }
  }

  private func performOnBoth(_ step: Step) throws(KVMError) -> [StateMismatch] {
    // It would not come back from KVM_RUN: it is left out, and nobody answers.
    if step.kind.needsGuest, mayStall(expected.vcpu(of: step.arguments)) { return [] }
    let before = clock()
    let answer = try seen.perform(step)
    let after = clock()
    callTime &+= after &- before
    let moment = Moment(earliest: before, latest: after)
    lastSeen = answer
    // Once all has been seen, turns are enough.
    let observed = try observe(turn: takesTurns && steps > 0 && others.isEmpty ? steps % expected.vcpuCount : nil)
    guard others.isEmpty else { return try performOnAll(step, answer, moment, observed) }
    return try differences(step, answer, moment, observed)
  }

  private func mayStall(_ vcpu: Int) -> Bool {
    expected.machine.mayStall(vcpu) || others.indices.contains { others[$0].mayStall(vcpu) }
  }

  /// Does a step on the model, and says what differs then.
  ///
  /// - Parameters:
  ///   - step: The step.
  ///   - answer: What the other answered.
  ///   - moment: When it was done.
  ///   - observed: When the other was looked at.
  func differences(
    _ step: Step, _ answer: StepAnswer, _ moment: Moment, _ observed: Moment
  ) throws(KVMError) -> [StateMismatch] {
    // What the vCPU may do instead, where one runs.
    let model = step.kind.needsGuest ? expected.machine : nil
    expected.moment = moment
    let wanted = try expected.perform(step)
    lastAnswer = wanted
    expected.moment = observed
    expected.observe(&expectedView)
    var differences = expectedView.allows(seenView) ? [] : expectedView.mismatches(seenView)
    if !wanted.allows(answer) { differences.insert(StateMismatch("answer", wanted, answer), at: 0) }
    guard !differences.isEmpty else { return [] }
    if let model, try isAllowedByChance(step, answer, model, moment) { return [] }
    return differences
  }

  /// Whether a step is what the model allows where something happens that the host may do at any time, such as where its thread is
  /// moved to another processor: the vCPU looks for interrupts though nothing happened to it (KVM_REQ_EVENT), or loses a shadow.
  private func isAllowedByChance(
    _ step: Step, _ answer: StepAnswer, _ model: ReferenceMachine, _ moment: Moment
  ) throws(KVMError) -> Bool {
    let observed = expected.moment
    defer { (expected.hasStrayEvent, expected.hasLostShadow) = (false, false) }
    for (event, shadow) in [(true, false), (false, true), (true, true)] {
      guard !event || model.configuration.deviations.contains(.interruptsSoughtOnEvent),
        !shadow || model.configuration.deviations.contains(.shadowLostAtExit)
      else { continue }
      (expected.machine, expected.moment) = (model, moment)
      (expected.hasStrayEvent, expected.hasLostShadow) = (event, shadow)
      let wanted = try expected.perform(step)
      expected.moment = observed
      expected.observe(&expectedView)
      guard wanted.allows(answer), expectedView.allows(seenView) else { continue }
      lastAnswer = wanted
      return true
    }
    return false
  }
}
