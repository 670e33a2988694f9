/// Which of a list of injections is next by the clock: a value, which knows no machine.
struct InjectionSchedule {
  /// The next occurrence of an injection.
  private struct Entry {
    let injection: Int
    let first: ContinuousClock.Instant
    var occurrence = 0
  }

  private let injections: [Injection]
  private var entries: [Entry] = []

  init(_ injections: [Injection]) { self.injections = injections }

  /// Begins with an injection's occurrences, from one on.
  ///
  /// - Parameters:
  ///   - index: the injection's place in the list.
  ///   - first: when its first occurrence is, or was.
  ///   - occurrence: the next, from 0.
  mutating func add(_ index: Int, first: ContinuousClock.Instant, from occurrence: Int = 0) {
    guard occurrence < injections[index].count else { return }
    entries.append(Entry(injection: index, first: first, occurrence: occurrence))
  }

  /// When the next is due; nil where none is to come.
  var nextTime: ContinuousClock.Instant? { entries.map(time).min() }

  /// Whether there is none.
  var isEmpty: Bool { entries.isEmpty }

  /// Takes the next that is due: the earliest, and of several at one time the one that was written first.
  mutating func take(at now: ContinuousClock.Instant) -> (injection: Int, occurrence: Int)? {
    let first = entries.indices.min { one, other in
      (time(entries[one]), entries[one].injection) < (time(entries[other]), entries[other].injection)
    }
    guard let first, time(entries[first]) <= now else { return nil }
    let entry = entries[first]
    if entry.occurrence + 1 < injections[entry.injection].count {
      entries[first].occurrence += 1
    } else {
      entries.remove(at: first)
    }
    return (entry.injection, entry.occurrence)
  }

  private func time(_ entry: Entry) -> ContinuousClock.Instant {
    entry.first + injections[entry.injection].interval * entry.occurrence
  }
}
