/// A call to a machine that happens in pieces, each of which others see whole or not at all.
///
/// Between two of its pieces, pieces of other calls may come. A call that is one piece is an operation that takes effect at
/// one moment, as linearizability has it (Herlihy and Wing 1990).
protocol SplitCall: Hashable {
  /// What it is done to: a value, compared in all that decides what happens next.
  associatedtype Machine: Hashable
  /// What it answers.
  associatedtype Answer: Hashable

  /// Does the next piece.
  ///
  /// - Returns: Whether it was done; false where the call has to wait for another.
  mutating func advance(_ machine: inout Machine) -> Bool

  /// Whether no piece is left.
  var isEnded: Bool { get }
  /// What it has answered, once it has ended.
  var answer: Answer { get }
  /// Whether that is what was seen.
  var isAnswered: Bool { get }
}

/// A call as somebody made it, and when.
struct RecordedCall<Call: SplitCall> {
  /// The call, before its first piece.
  var call: Call
  /// When it was begun, by a clock that all share.
  var begin: UInt64
  /// When it had returned.
  var end: UInt64
}

/// Looks for an order in which what several actors did at the same time could have been done.
///
/// An order keeps that of each actor, and a call that had returned before another was begun comes before it. It is looked for
/// depth first, as by Wing and Gong (1993), and what was reached before in another way, the machine and what of each call is done,
/// is not looked at again (Lowe 2017). All orders are followed, since what they lead to may be told apart only later.
struct OrderChecker<Call: SplitCall> {
  /// What each actor did, one call after the other.
  let actors: [[RecordedCall<Call>]]
  /// How many pieces may be tried.
  let limit: Int
  /// For each call how many calls of each actor had returned before it was begun.
  private let earlier: [[[Int]]]

  init(_ actors: [[RecordedCall<Call>]], limit: Int) {
    self.actors = actors
    self.limit = limit
    earlier = actors.map { calls in
      calls.map { call in actors.map { others in others.prefix { $0.end < call.begin }.count } }
    }
  }

  /// What has come of a search.
  struct Outcome {
    /// The machines that orders with the right answers lead to, of those that are right.
    var machines: [Call.Machine] = []
    /// Some that orders with the right answers lead to, and that are not right.
    var wrongMachines: [Call.Machine] = []
    /// How many pieces were tried.
    var tried = 0
    /// Whether there were more pieces to try than may be. Nothing is known then, whatever was found.
    var isCutOff = false
  }

  /// Whether there is a call that had not returned when another actor's was begun, nor the other way round.
  var hasOverlap: Bool {
    actors.indices.contains { actor in
      actors[actor].contains { call in
        actors[(actor + 1)...].contains { others in others.contains { $0.begin <= call.end && call.begin <= $0.end } }
      }
    }
  }

  /// How many machines that are not right are kept.
  private static var wrongMachineLimit: Int { 16 }

  /// Follows all orders.
  ///
  /// - Parameters:
  ///   - beginnings: What the machine may be before.
  ///   - isRight: Whether a machine, after everything, is what was seen.
  func check(from beginnings: [Call.Machine], _ isRight: (Call.Machine) -> Bool) -> Outcome {
    var outcome = Outcome()
    search(from: beginnings, keepsAnswers: false, &outcome) { node, outcome in
      if isRight(node.machine) {
        outcome.machines.append(node.machine)
      } else if outcome.wrongMachines.count < Self.wrongMachineLimit {
        outcome.wrongMachines.append(node.machine)
      }
    }
    return outcome
  }

  /// The answers that the orders lead to, whatever was seen, as far as there are pieces to try.
  func answers(from beginnings: [Call.Machine]) -> Set<[[Call.Answer]]> {
    var outcome = Outcome()
    var answers: Set<[[Call.Answer]]> = []
    search(from: beginnings, keepsAnswers: true, &outcome) { node, _ in answers.insert(node.answers) }
    return answers
  }

  /// How far an order has come.
  private struct Node: Hashable {
    var machine: Call.Machine
    /// How many calls of each actor have ended.
    var ended: [Int]
    /// The call that is under way of each actor.
    var underway: [Call?]
    /// What the calls have answered, where that is kept.
    var answers: [[Call.Answer]] = []
  }

  private func search(
    from beginnings: [Call.Machine], keepsAnswers: Bool, _ outcome: inout Outcome, end: (Node, inout Outcome) -> Void
  ) {
    var stack = beginnings.reversed().map { machine in
      Node(
        machine: machine, ended: actors.map { _ in 0 }, underway: actors.map { _ in nil },
        answers: keepsAnswers ? actors.map { _ in [] } : [])
    }
    var reached = Set(stack)
    while let node = stack.popLast() {
      guard actors.indices.contains(where: { node.ended[$0] < actors[$0].count }) else {
        end(node, &outcome)
        continue
      }
      for actor in actors.indices.reversed() {
        guard outcome.tried < limit else {
          outcome.isCutOff = true
          return
        }
        guard let next = advance(node, actor, keepsAnswers, &outcome.tried), reached.insert(next).inserted else {
          continue
        }
        stack.append(next)
      }
    }
  }

  /// Where an order comes to with one more piece of an actor's calls; nil where that cannot be.
  private func advance(_ node: Node, _ actor: Int, _ keepsAnswers: Bool, _ tried: inout Int) -> Node? {
    let number = node.ended[actor]
    guard number < actors[actor].count else { return nil }
    var call: Call
    if let underway = node.underway[actor] {
      call = underway
    } else {
      guard zip(node.ended, earlier[actor][number]).allSatisfy({ $0 >= $1 }) else { return nil }
      call = actors[actor][number].call
    }
    tried += 1
    var next = node
    guard call.advance(&next.machine) else { return nil }
    next.underway[actor] = call
    guard call.isEnded else { return next }
    guard keepsAnswers || call.isAnswered else { return nil }
    next.underway[actor] = nil
    next.ended[actor] += 1
    if keepsAnswers { next.answers[actor].append(call.answer) }
    return next
  }
}
