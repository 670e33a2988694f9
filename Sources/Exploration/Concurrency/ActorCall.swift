import APIC
import KVM
import ReferenceModel

/// An actor's step for the checker of orders: the model's call, and what was answered to it.
struct ActorCall: SplitCall {
  private var call: MachineCall
  private let answers: AnswerKind
  private let seen: StepAnswer
  private let areRoutesFixed: Bool

  /// What a call's answer is made of.
  enum AnswerKind: Hashable {
    case nothing
    case delivery
    case refusal
    case vector
    case written(UInt64)
  }

  /// A call.
  ///
  /// - Parameters:
  ///   - call: The model's.
  ///   - answers: What its answer is made of.
  ///   - seen: What was answered.
  ///   - areRoutesFixed: Whether no actor replaces the routes.
  init(_ call: MachineCall, _ answers: AnswerKind, seen: StepAnswer, areRoutesFixed: Bool) {
    self.call = call
    self.answers = answers
    self.seen = seen
    self.areRoutesFixed = areRoutesFixed
  }

  mutating func advance(_ machine: inout MachineIdentity) -> Bool {
    machine.machine.advancePiece(&call, areRoutesFixed: areRoutesFixed)
  }

  var isEnded: Bool { call.isEnded }

  var answer: StepAnswer { answers.answer(call) }

  var isAnswered: Bool { answer.allows(seen) }
}

extension ActorCall.AnswerKind {
  func answer(_ call: MachineCall) -> StepAnswer {
    switch self {
    case .nothing: .done
    case .delivery: .delivery(call.answer)
    case .refusal: call.isRefused ? .refused : .done
    case .vector: call.vector.map { .value(UInt64($0.rawValue)) } ?? .done
    case .written(let value): call.isRefused ? .refused : .value(value)
    }
  }
}

/// Finds out which call a step makes, and makes none.
final class CallRecorder: ModelSubject {
  private(set) var recorded: (call: MachineCall, answers: ActorCall.AnswerKind)?

  /// The call that a step makes; nil for a step that makes none.
  ///
  /// - Parameters:
  ///   - step: The step.
  ///   - machine: What it is to be done to.
  ///   - moment: When.
  ///   - looksAnyway: Whether a vCPU that runs for it looks for interrupts though nothing has happened to it.
  static func call(
    of step: Step, _ machine: ReferenceMachine, at moment: Moment, looksAnyway: Bool = false
  ) throws(KVMError) -> (call: MachineCall, answers: ActorCall.AnswerKind)? {
    let recorder = CallRecorder(machine)
    recorder.moment = moment
    recorder.hasStrayEvent = looksAnyway
    _ = try recorder.perform(step)
    return recorder.recorded
  }

  override func send(_ message: MSIMessage) -> DeliveryAnswer {
    recorded = (.message(message), .delivery)
    return .ignored
  }

  override func setLine(_ gsi: UInt32, to level: Bool, tellsStatus: Bool) -> DeliveryAnswer? {
    recorded = (.line(gsi, to: level, tellsStatus: tellsStatus), tellsStatus ? .delivery : .nothing)
    return nil
  }

  override func fire(_ gsi: UInt32) { recorded = (.irqfd(gsi), .nothing) }

  override func setRoutes(_ routes: [GSIRoute]) { recorded = (.routes(RouteTable(routes)), .nothing) }

  override func signalNMI(_ vcpu: Int) { recorded = (.nmi(vcpu), .nothing) }

  override func takeInterrupt(_ vcpu: Int) -> StepAnswer {
    recorded = (.take(vcpu, looksAnyway: hasStrayEvent), .vector)
    return .done
  }

  override func accessMSR(_ vcpu: Int, _ index: UInt32, writing value: UInt64?) -> StepAnswer {
    if let value {
      recorded = (.guestWrite(vcpu, index, value, at: moment, looksAnyway: hasStrayEvent), .written(value))
    }
    return .done
  }

  override func writeMSR(_ vcpu: Int, _ index: UInt32, _ value: UInt64) -> Bool {
    recorded = (.write(vcpu, index, value, at: moment), .refusal)
    return true
  }
}
