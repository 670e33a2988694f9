import APIC
public import KVM
public import ReferenceModel

/// One history on two machines: the model, and the one that is looked at.
///
/// After each step every answer and all visible state must be what the model allows.
public final class HistoryRun {
  private let expected: ModelSubject
  private let seen: any InterruptSubject
  private var expectedView: VisibleState
  private var seenView: VisibleState
  private let clock: () -> UInt64
  private let takesTurns: Bool
  private var steps = 0
  /// How long the other's calls took so far, in nanoseconds.
  private(set) var callTime: UInt64 = 0
  /// What the model answered to the last step; nil where the other's call failed, and for a step that was left out.
  private(set) var lastAnswer: StepAnswer?
  /// The rules of the model that were met so far.
  var metRules: ModelRuleSet { expected.machine.metRules }
  /// What the other answered to it.
  private(set) var lastSeen: StepAnswer?

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

  private func compare() throws(KVMError) -> [StateMismatch] {
    // Once all has been seen, turns are enough.
    let turn = takesTurns && steps > 0 ? steps % expected.vcpuCount : nil
    steps += 1
    (expectedView.turn, seenView.turn) = (turn, turn)
    let before = clock()
    try seen.observe(&seenView)
    let after = clock()
    callTime &+= after &- before
    expected.moment = Moment(earliest: before, latest: after)
    expected.observe(&expectedView)
    return expectedView.allows(seenView) ? [] : expectedView.mismatches(seenView)
  }

  /// Does the next step on both.
  ///
  /// - Returns: What differs, a call that fails too; nothing where the machine did as the model does.
  /// - Throws: `KVMError` where the host has run out of something, which says nothing of its KVM.
  public func perform(_ step: Step) throws(KVMError) -> [StateMismatch] {
    (lastAnswer, lastSeen) = (nil, nil)
    do throws(KVMError) {
      return try performOnBoth(step)
    } catch {
      guard !error.isShortage else { throw error }
      return [StateMismatch(error.call.description, "an answer", error)]
    }
  }

  private func performOnBoth(_ step: Step) throws(KVMError) -> [StateMismatch] {
    // It would not come back from KVM_RUN: it is left out, and nobody answers.
    if step.kind.needsGuest, expected.machine.mayStall(expected.vcpu(of: step.arguments)) { return [] }
    let before = clock()
    let answer = try seen.perform(step)
    let after = clock()
    callTime &+= after &- before
    let moment = Moment(earliest: before, latest: after)
    // What the vCPU may have done instead, where one runs.
    let model = step.kind.needsGuest ? expected.machine : nil
    expected.moment = moment
    let wanted = try expected.perform(step)
    lastAnswer = wanted
    lastSeen = answer
    var differences = try compare()
    if !wanted.allows(answer) { differences.insert(StateMismatch("answer", wanted, answer), at: 0) }
    guard !differences.isEmpty else { return [] }
    if let model, try isAllowedByEvent(step, answer, model, moment) { return [] }
    return differences
  }

  /// Whether a step is what the model allows where the vCPU looks for interrupts though nothing happened to it: the host may
  /// make it do so at any time, such as where its thread is moved to another processor (KVM_REQ_EVENT).
  private func isAllowedByEvent(
    _ step: Step, _ answer: StepAnswer, _ model: ReferenceMachine, _ moment: Moment
  ) throws(KVMError) -> Bool {
    guard model.configuration.deviations.contains(.interruptsSoughtOnEvent) else { return false }
    let observed = expected.moment
    (expected.machine, expected.moment, expected.hasStrayEvent) = (model, moment, true)
    defer { expected.hasStrayEvent = false }
    let wanted = try expected.perform(step)
    expected.moment = observed
    expected.observe(&expectedView)
    guard wanted.allows(answer), expectedView.allows(seenView) else { return false }
    lastAnswer = wanted
    return true
  }
}
