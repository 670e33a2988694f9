public import KVM
public import ReferenceModel

/// The model's image of a kernel that has a fault: a good model, tampered with after each step.
public final class FaultySubject: ModelSubject {
  private let fault: Fault
  private let clock: () -> UInt64

  /// A machine after power-on with a fault.
  ///
  /// - Parameters:
  ///   - configuration: What the machine is made of.
  ///   - fault: What is broken.
  ///   - clock: The time in nanoseconds that its timers count in.
  public init(_ configuration: ReferenceMachine.Configuration, fault: Fault, clock: @escaping () -> UInt64) {
    self.fault = fault
    self.clock = clock
    super.init(configuration)
  }

  /// Does a step of a history, and breaks something.
  public override func perform(_ step: Step) throws(KVMError) -> StepAnswer {
    moment = Moment(clock())
    let before = machine
    var answer = try super.perform(step)
    fault.tamper(step, before, &machine, &answer)
    machine.forgetDestinations()
    return answer
  }

  /// Everything that can be seen.
  public override func observe(_ observation: inout VisibleState) {
    moment = Moment(clock())
    super.observe(&observation)
  }
}
