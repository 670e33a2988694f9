package import Evidence

/// Gets all that belongs to a watched machine as it comes, beside its being counted.
package protocol WatchObserver: AnyObject {
  /// Takes the next event of the machine, in the order of time.
  func take(_ event: TraceEvent, _ clock: TraceClock)

  /// Takes an interrupt that is over.
  func take(_ journey: TrackedJourney, _ clock: TraceClock)
}
