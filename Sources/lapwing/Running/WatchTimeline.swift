import Evidence
import Timelines
import Watch

/// Writes what is seen of a watched machine into a timeline's file, as it comes.
final class WatchTimeline: WatchObserver {
  private let started: StartedTimeline
  private var machine: MachineTimeline?

  /// Begins a machine's timeline.
  ///
  /// - Parameters:
  ///   - started: the file.
  ///   - watcher: who watches the machine, and nothing else.
  init(_ started: StartedTimeline, _ watcher: Watcher) {
    self.started = started
    let watched = watcher.machines[0]
    let threads = watched.vcpus.map { $0.thread.map { [$0] } ?? [] }
    machine = started.file.begin(
      TimelineMachine(
        name: "\(watched.program ?? "process") \(watched.name)", vcpuIDs: watched.vcpus.map(\.id), threads: threads),
      exitNames: watcher.exitNames, inhibitNames: watcher.inhibitNames)
    watcher.observer = self
  }

  func take(_ event: TraceEvent, _ clock: TraceClock) { machine?.take(event, clock) }

  func take(_ journey: TrackedJourney, _ clock: TraceClock) { machine?.take(journey, clock) }

  /// Ends it, and gives the file its name.
  ///
  /// - Parameters:
  ///   - lost: how many events were lost.
  ///   - absent: what would have been recorded if the kernel had it.
  /// - Throws: `Failure` where the file cannot be written.
  func finish(lost: UInt64, absent: [String]) throws(Failure) {
    machine?.finish(lost: lost, absent: absent)
    machine = nil
    try started.commit()
  }
}
