import KVM
import ReferenceModel

/// Steps of several actors at the same time: some order must explain what was seen.
extension HistoryRun {
  /// How many pieces of calls a search may try: the orders of eight calls are mostly some hundred.
  private static let pieceLimit = 20_000
  /// How many machines may be open.
  private static let machineLimit = 32

  /// Has actors do something on the other machine, and looks for the orders that lead to what is seen then.
  func performConcurrently(_ actors: [[Step]]) throws(KVMError) -> [StateMismatch] {
    var beginnings = [expected.machine] + others
    // The model has no orders of it: it is left out, and nobody answers.
    guard beginnings.allSatisfy({ $0.mayPerform(concurrently: actors) }) else { return [] }
    for index in beginnings.indices { beginnings[index].prepareForCalls() }
    let begin = clock()
    let done = try seen.perform(concurrently: actors)
    let end = clock()
    callTime &+= end &- begin
    let part = Part(
      actors: actors, done: done, beginnings: beginnings, moment: Moment(earliest: begin, latest: end),
      observed: try observe(turn: nil))
    lastSeenText = Self.text(done.map { $0.map(\.answer) })
    let checker = try checker(part, looksAnyway: [])
    var outcome = check(part, checker)
    orders.note(outcome, hasOverlap: checker.hasOverlap)
    if outcome.machines.isEmpty, !outcome.isCutOff { outcome = try checkWithStrayEvents(part) ?? outcome }
    lastExpectedText = "\(outcome.machines.count) ends, \(outcome.tried) pieces tried"
    guard !outcome.isCutOff, outcome.machines.count <= Self.machineLimit else {
      orders.cutOff += 1
      isUndecided = true
      lastExpectedText = "too many orders"
      return []
    }
    guard let first = outcome.machines.first else { return explain(outcome, checker, part) }
    lastAnswer = .done
    lastSeen = .done
    take(first.machine, outcome.machines.dropFirst().map(\.machine), part.observed)
    return []
  }

  /// What actors did, on which machine, and when.
  private struct Part {
    var actors: [[Step]]
    var done: [[ActorStep]]
    var beginnings: [ReferenceMachine]
    var moment: Moment
    var observed: Moment
  }

  /// A checker of what actors did.
  ///
  /// - Parameter looksAnyway: The actors whose vCPUs look for interrupts though nothing has happened to them.
  private func checker(_ part: Part, looksAnyway: Set<Int>) throws(KVMError) -> OrderChecker<ActorCall> {
    let areRoutesFixed = !part.actors.contains { steps in steps.contains { $0.kind.family == .routes } }
    var recorded: [[RecordedCall<ActorCall>]] = []
    for (actor, (steps, done)) in zip(part.actors, part.done).enumerated() {
      var own: [RecordedCall<ActorCall>] = []
      for (step, done) in zip(steps, done) {
        guard
          let (call, answers) = try CallRecorder.call(
            of: step, expected.machine, at: part.moment, looksAnyway: looksAnyway.contains(actor))
        else { continue }
        own.append(
          RecordedCall(
            call: ActorCall(call, answers, seen: done.answer, areRoutesFixed: areRoutesFixed), begin: done.begin,
            end: done.end))
      }
      recorded.append(own)
    }
    return OrderChecker(recorded, limit: Self.pieceLimit)
  }

  private func check(_ part: Part, _ checker: OrderChecker<ActorCall>) -> OrderChecker<ActorCall>.Outcome {
    checker.check(from: part.beginnings.map(MachineIdentity.init)) { isSeen($0.machine, part.observed) }
  }

  /// What a vCPU that runs may do instead: it looks for interrupts though nothing has happened to it (KVM_REQ_EVENT), as
  /// `isAllowedByChance` has it.
  private func checkWithStrayEvents(_ part: Part) throws(KVMError) -> OrderChecker<ActorCall>.Outcome? {
    let running = part.actors.indices.filter { actor in part.actors[actor].contains { $0.kind.needsGuest } }
    guard !running.isEmpty, configuration.deviations.contains(.interruptsSoughtOnEvent) else { return nil }
    for choice in 1..<(1 << running.count) {
      let own = Set(running.enumerated().filter { choice >> $0.offset & 1 != 0 }.map(\.element))
      let outcome = check(part, try checker(part, looksAnyway: own))
      if !outcome.machines.isEmpty || outcome.isCutOff { return outcome }
    }
    return nil
  }

  private var configuration: ReferenceMachine.Configuration { expected.machine.configuration }

  private func isSeen(_ machine: ReferenceMachine, _ observed: Moment) -> Bool {
    (expected.machine, expected.moment) = (machine, observed)
    expected.observe(&expectedView)
    return expectedView.allows(seenView)
  }

  /// These are the machines that may be the right one.
  private func take(_ machine: ReferenceMachine, _ others: [ReferenceMachine], _ observed: Moment) {
    _ = isSeen(machine, observed)
    self.others = others
  }

  /// What no order explains: the answers, or where those have an order, what differs least from what it leads to.
  private func explain(
    _ outcome: OrderChecker<ActorCall>.Outcome, _ checker: OrderChecker<ActorCall>, _ part: Part
  ) -> [StateMismatch] {
    let all = outcome.wrongMachines.map { machine in
      (expected.machine, expected.moment) = (machine.machine, part.observed)
      expected.observe(&expectedView)
      return expectedView.mismatches(seenView)
    }
    guard let nearest = all.min(by: { $0.count < $1.count }), !nearest.isEmpty else {
      let allowed = checker.answers(from: part.beginnings.map(MachineIdentity.init)).map(Self.text).sorted()
      return [StateMismatch("answers", Self.choice(allowed), Self.text(part.done.map { $0.map(\.answer) }))]
    }
    // What other orders lead to at the same places.
    return nearest.map { mismatch in
      let allowed = all.map { own in own.first { $0.place == mismatch.place }?.expected ?? mismatch.seen }
      return StateMismatch(mismatch.place, Self.choice(Array(Set(allowed)).sorted()), mismatch.seen)
    }
  }

  /// Answers of each actor, as in `delivered to 1; done | coalesced`.
  static func text(_ answers: [[StepAnswer]]) -> String {
    answers.map { $0.map(\.description).joined(separator: "; ") }.joined(separator: " | ")
  }

  /// A few of what may be.
  private static func choice(_ texts: [String]) -> String {
    let shown = texts.prefix(4).joined(separator: ", or ")
    return texts.count > 4 ? shown + ", or one of \(texts.count - 4) more" : shown
  }
}

extension HistoryRun {
  /// Does a step on each of the machines that may be the right one, and keeps those that do as the other did.
  func performOnAll(
    _ step: Step, _ answer: StepAnswer, _ moment: Moment, _ observed: Moment
  ) throws(KVMError) -> [StateMismatch] {
    var right: Set<MachineIdentity> = []
    var rest: [ReferenceMachine] = []
    var wanted: StepAnswer?
    var differences: [StateMismatch] = []
    for machine in [expected.machine] + others {
      expected.machine = machine
      let own = try self.differences(step, answer, moment, observed)
      guard own.isEmpty else {
        if differences.isEmpty { differences = own }
        continue
      }
      if wanted == nil { wanted = lastAnswer }
      if right.insert(MachineIdentity(expected.machine)).inserted { rest.append(expected.machine) }
    }
    guard let first = rest.first else { return differences }
    lastAnswer = wanted
    take(first, Array(rest.dropFirst()), observed)
    return []
  }
}

extension OrderCounts {
  mutating func note(_ outcome: OrderChecker<ActorCall>.Outcome, hasOverlap: Bool) {
    steps += 1
    pieces += outcome.tried
    if hasOverlap { overlapping += 1 }
    if outcome.machines.count > 1 { open += 1 }
  }
}
