import Evidence
import Timelines
import VMM

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
