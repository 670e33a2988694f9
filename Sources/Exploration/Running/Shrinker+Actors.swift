import KVM

extension History {
  /// How often a history is run before it is taken not to show a difference: once, unless actors do something at the same time, of
  /// which each time may come something else.
  var trials: Int { isConcurrent ? 8 : 1 }
}

extension HistoryBench {
  /// Runs a history several times, until it shows a difference.
  func run(_ history: History, upTo trials: Int) throws(KVMError) -> HistoryFinding? {
    for _ in 0..<max(1, trials) {
      if let finding = try run(history) { return finding }
    }
    return nil
  }
}

/// Steps of several actors become those of fewer, with less to do, or one after the other.
extension Shrinker {
  func reduceActors(_ search: inout Search) throws(KVMError) {
    var place = 0
    while place < search.best.history.steps.count {
      if search.best.history.steps[place].isConcurrent { try reduceActors(at: place, &search) }
      place += 1
    }
  }

  private func reduceActors(at place: Int, _ search: inout Search) throws(KVMError) {
    // What shows without any actors is nothing of theirs.
    var candidate = search.best.history
    candidate.steps.replaceSubrange(place...place, with: candidate.steps[place].actors.flatMap { $0 })
    if try attempt(candidate, &search) { return }
    try removeActors(at: place, &search)
    try removeActorSteps(at: place, &search)
    try simplifyActors(at: place, &search)
  }

  /// The step of several actors at a place; none where a history that was found meanwhile has something else there.
  private func actors(at place: Int, _ search: Search) -> [[Step]] {
    place < search.best.history.steps.count ? search.best.history.steps[place].actors : []
  }

  private func removeActors(at place: Int, _ search: inout Search) throws(KVMError) {
    for actor in actors(at: place, search).indices.reversed() where actor < actors(at: place, search).count {
      var candidate = search.best.history
      candidate.steps[place].actors.remove(at: actor)
      _ = try attempt(candidate, &search)
    }
  }

  private func removeActorSteps(at place: Int, _ search: inout Search) throws(KVMError) {
    for actor in actors(at: place, search).indices.reversed() {
      for step in actors(at: place, search)[actor].indices.reversed() {
        let now = actors(at: place, search)
        guard actor < now.count, step < now[actor].count, now[actor].count > 1 else { continue }
        var candidate = search.best.history
        candidate.steps[place].actors[actor].remove(at: step)
        _ = try attempt(candidate, &search)
      }
    }
  }

  private func simplifyActors(at place: Int, _ search: inout Search) throws(KVMError) {
    for (actor, steps) in actors(at: place, search).enumerated() {
      for (number, step) in steps.enumerated() {
        for (index, argument) in step.kind.arguments.enumerated() {
          for simpler in argument.values.prefix(while: { $0 != step.arguments[index] }).prefix(4) {
            var candidate = search.best.history
            guard actor < actors(at: place, search).count, number < actors(at: place, search)[actor].count else {
              return
            }
            candidate.steps[place].actors[actor][number].arguments[index] = simpler
            if try attempt(candidate, &search) { break }
          }
        }
      }
    }
  }
}
