public import KVM

/// Reduces a history to the shortest that still shows its difference: by leaving out steps (delta debugging, Zeller and
/// Hildebrandt 2002), then by simpler arguments.
public struct Shrinker {
  private let bench: HistoryBench
  private let isExpired: () -> Bool
  private let trials: Int

  /// A shrinker.
  ///
  /// - Parameters:
  ///   - bench: Where histories are run.
  ///   - trials: How many of them at the most.
  ///   - isExpired: Whether the time for it has passed.
  public init(_ bench: HistoryBench, trials: Int = 20_000, isExpired: @escaping () -> Bool) {
    self.bench = bench
    self.trials = trials
    self.isExpired = isExpired
  }

  /// Shrinks.
  ///
  /// - Parameter finding: What was found.
  /// - Returns: The smallest history that was tried and shows the same thing.
  /// - Throws: `KVMError` where the host has no room for a machine.
  public func shrink(_ finding: HistoryFinding) throws(KVMError) -> HistoryFinding {
    var search = Search(best: finding, left: trials)
    var before: Int
    repeat {
      before = search.improvements
      try removeSteps(&search)
      try reduceActors(&search)
      try removeVCPUs(&search)
      try simplify(&search)
    } while search.improvements > before && search.left > 0 && !isExpired()
    return search.best
  }

  struct Search {
    var best: HistoryFinding
    var left: Int
    var improvements = 0
  }

  /// Runs a candidate, and takes it for the best where it shows the same thing.
  func attempt(_ history: History, _ search: inout Search) throws(KVMError) -> Bool {
    guard search.left > 0, !isExpired() else { return false }
    search.left -= 1
    guard var found = try bench.run(history, upTo: history.trials), found.isLike(search.best) else { return false }
    found.originalSteps = search.best.originalSteps
    search.best = found
    search.improvements += 1
    return true
  }

  /// Leaves out parts of the steps, half of them at first, then ever smaller ones.
  private func removeSteps(_ search: inout Search) throws(KVMError) {
    var size = max(1, search.best.history.steps.count / 2)
    while true {
      var end = search.best.history.steps.count
      while end > 0 {
        let start = max(0, end - size)
        var candidate = search.best.history
        candidate.steps.removeSubrange(start..<min(end, candidate.steps.count))
        // What was left out may have taken later steps with it.
        end = try attempt(candidate, &search) ? min(start, search.best.history.steps.count) : start
      }
      guard size > 1 else { return }
      size /= 2
    }
  }

  private func removeVCPUs(_ search: inout Search) throws(KVMError) {
    for vcpus in 1..<max(2, search.best.history.machine.vcpus) where vcpus < search.best.history.machine.vcpus {
      var candidate = search.best.history
      candidate.machine.vcpus = vcpus
      if try attempt(candidate, &search) { return }
    }
  }

  /// Tries simpler values for each argument.
  private func simplify(_ search: inout Search) throws(KVMError) {
    var place = 0
    while place < search.best.history.steps.count {
      let kind = search.best.history.steps[place].kind
      for (index, argument) in kind.arguments.enumerated() {
        let current = search.best.history.steps[place].arguments[index]
        for simpler in argument.values.prefix(while: { $0 != current }).prefix(4) {
          var candidate = search.best.history
          candidate.steps[place].arguments[index] = simpler
          if try attempt(candidate, &search) { break }
          guard place < search.best.history.steps.count else { return }
        }
        guard place < search.best.history.steps.count else { return }
      }
      place += 1
    }
  }
}
