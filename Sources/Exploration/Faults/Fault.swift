public import KVM
public import ReferenceModel

/// Something that a broken kernel might do: what is tampered with after a step.
///
/// It is there to prove that differences are found. `before` is the machine before the step, `machine` what a good kernel
/// has made of it.
public struct Fault: Sendable {
  /// Its name, as an option has it.
  public let name: String
  /// What is broken, in a few words.
  public let summary: String
  let tamper: @Sendable (Step, _ before: ReferenceMachine, inout ReferenceMachine, inout StepAnswer) -> Void
  /// What is broken where several actors do something at the same time.
  let tamperBetween: PieceFault?

  init(
    _ name: String, _ summary: String,
    _ tamper: @escaping @Sendable (Step, _ before: ReferenceMachine, inout ReferenceMachine, inout StepAnswer) -> Void
  ) {
    self.name = name
    self.summary = summary
    self.tamper = tamper
    tamperBetween = nil
  }

  init(name: String, summary: String, between tamper: @escaping PieceFault) {
    self.name = name
    self.summary = summary
    self.tamper = { _, _, _, _ in }
    tamperBetween = tamper
  }

  /// Every fault.
  public static let all: [Fault] =
    service + acceptance + delivery + pins + commands + halts + modes + restores + timers + orders

  /// No fault: what a good kernel does.
  public static let none = Fault("none", "nothing is broken") { _, _, _, _ in }

  /// The fault with a name.
  public static func named(_ name: String) -> Fault? { all.first { $0.name == name } }
}

extension StepAnswer {
  /// Changes what became of an interrupt.
  mutating func change(_ old: DeliveryAnswer, to new: DeliveryAnswer) {
    if self == .delivery(old) { self = .delivery(new) }
  }
}

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

  /// Has actors do something at the same time, and breaks something where their calls meet.
  public override func perform(concurrently actors: [[Step]]) throws(KVMError) -> [[ActorStep]] {
    moment = Moment(clock())
    return try interleave(actors, fault: fault.tamperBetween)
  }

  /// Everything that can be seen.
  public override func observe(_ observation: inout VisibleState) {
    moment = Moment(clock())
    super.observe(&observation)
  }
}
