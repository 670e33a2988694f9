import ReferenceModel

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

  init(
    _ name: String, _ summary: String,
    _ tamper: @escaping @Sendable (Step, _ before: ReferenceMachine, inout ReferenceMachine, inout StepAnswer) -> Void
  ) {
    self.name = name
    self.summary = summary
    self.tamper = tamper
  }

  /// Every fault.
  public static let all: [Fault] = service + acceptance + delivery + pins + modes + restores + timers

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
