public import KVM
import ReferenceModel

extension OperationKind {
  /// Steps of several actors at the same time.
  static let concurrent: [OperationKind] = [
    OperationKind(
      .concurrent, "part", "two to four threads do something at the same time", [], weight: 10
    ) { (_, _) throws(KVMError) in .done }
  ]

  /// The place in `all` of what is done at the same time.
  static let concurrentPart = numbers["concurrent.part"] ?? 0
}

extension Step {
  /// Whether several actors do something at the same time.
  public var isConcurrent: Bool { operation == OperationKind.concurrentPart }

  /// Whether a vCPU must execute instructions for it.
  public var needsGuest: Bool {
    kind.needsGuest || actors.contains { steps in steps.contains { $0.kind.needsGuest } }
  }

  /// A step of several actors.
  ///
  /// - Parameter actors: What each does, one step after the other.
  public init(concurrently actors: [[Step]]) {
    self.init(operation: OperationKind.concurrentPart, arguments: StepArguments(repeating: 0))
    self.actors = actors
  }

  /// How many actors there may be, and how many steps together: what all orders of can be followed.
  static let actorLimit = 4
  static let concurrentStepLimit = 8

  /// The vCPU whose thread, or whose registers, a step needs; nil for none.
  func ownVCPU(of count: Int) -> Int? {
    guard kind.arguments.first?.name == "vcpu", kind.family != .event else { return nil }
    return Int(truncatingIfNeeded: arguments[0]) % max(1, count)
  }

  /// Whether it may bring an NMI, an INIT or a SIPI.
  var mayStrike: Bool {
    if kind.family == .event { return true }
    guard let mode = kind.arguments.firstIndex(where: { $0.name == "mode" }) else { return false }
    return 4...6 ~= arguments[mode] & 7
  }
}

extension ReferenceMachine {
  /// Whether what actors do at the same time has orders that the model knows: where vCPUs run, each has a thread of its own, and
  /// nothing but interrupts comes to them.
  func mayPerform(concurrently actors: [[Step]]) -> Bool {
    guard actors.contains(where: { steps in steps.contains { $0.kind.needsGuest } }) else { return true }
    var owners: [Int: Int] = [:]
    var running: Set<Int> = []
    for (actor, steps) in actors.enumerated() {
      for step in steps {
        guard !step.mayStrike else { return false }
        guard let vcpu = step.ownVCPU(of: localAPICs.count) else { continue }
        guard owners[vcpu] == nil || owners[vcpu] == actor else { return false }
        owners[vcpu] = actor
        if step.kind.needsGuest { running.insert(vcpu) }
      }
    }
    return maySplitGuests(running.sorted())
  }
}

extension History {
  /// Whether what comes of it varies, because actors do something at the same time.
  public var isConcurrent: Bool { steps.contains { $0.isConcurrent } }
}

/// A step of an actor as it went.
public struct ActorStep: Sendable {
  /// What was answered.
  public var answer: StepAnswer
  /// When it was begun, by a clock that all actors share.
  public var begin: UInt64
  /// When it had come back.
  public var end: UInt64

  /// A step as it went.
  public init(answer: StepAnswer, begin: UInt64, end: UInt64) {
    self.answer = answer
    self.begin = begin
    self.end = end
  }
}

extension InterruptSubject {
  /// Has actors do something at the same time: here one after the other, which is an order like any other.
  public func perform(concurrently actors: [[Step]]) throws(KVMError) -> [[ActorStep]] {
    var time: UInt64 = 0
    var done: [[ActorStep]] = []
    for steps in actors {
      var own: [ActorStep] = []
      for step in steps {
        own.append(ActorStep(answer: try perform(step), begin: time, end: time + 1))
        time += 2
      }
      done.append(own)
    }
    return done
  }
}
