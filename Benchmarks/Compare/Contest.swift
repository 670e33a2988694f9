/// Programs that do the same work, the first being what the others are compared with.
struct Contest {
  let name: String
  var contenders: [Contender]

  /// Runs all of them in turns. Each round begins with another one, so that none has always the same predecessor.
  ///
  /// - Throws: `Failure` for the first run that fails.
  func hold(rounds: Int, warmUp: Int, _ stopwatch: Stopwatch) throws(Failure) -> ContestResult {
    var runs = [[Run]](repeating: [], count: contenders.count)
    for round in 0..<warmUp + rounds {
      for turn in contenders.indices {
        let index = (round + turn) % contenders.count
        let run = try stopwatch.time(contenders[index])
        if round >= warmUp { runs[index].append(run) }
      }
    }
    let base = runs[0]
    let results = zip(contenders, runs).map { ContenderResult($0, runs: $1, base: base) }
    return ContestResult(name: name, contenders: results)
  }
}

/// One run of a program.
struct Run {
  /// Wall time from before the spawn to after the exit.
  let milliseconds: Double
  /// The largest resident set, in KiB.
  let peakKiB: Int
}
