import Evidence
import Timelines
import VMM
import Watch

/// Writes what is recorded of a machine's run onto a timeline, whose times count from the start of the program.
final class RunTimeline: RecordingListener {
  private var timeline: MachineTimeline?
  private let offset: Int64

  /// Begins the machine's timeline.
  ///
  /// - Parameters:
  ///   - file: where it goes.
  ///   - guest: what the guest is called.
  ///   - machine: the machine, not yet run.
  ///   - recorder: what records it.
  init(in file: TimelineFile, guest: String, _ machine: Machine, _ recorder: JourneyRecorder) {
    offset = Int64((recorder.recordingStart - Lapwing.start) / .nanoseconds(1))
    timeline = file.begin(
      TimelineMachine(name: guest, vcpuIDs: machine.configuration.apicIDs), exitNames: recorder.exitNames,
      inhibitNames: recorder.inhibitNames)
    recorder.listener = self
  }

  /// Learns which threads run the vCPUs, by index.
  func know(threads: [Int32]) { timeline?.know(threads: threads) }

  func take(_ event: TraceEvent, at time: Int64) { timeline?.take(event, at: time &+ offset) }

  func finish(_ result: JourneyRecorder.Result) {
    for journey in result.journeys { timeline?.take(journey.shifted(by: offset)) }
    timeline?.finish(lost: result.lostEvents, absent: result.absentEvents)
  }
}

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
