import Evidence
import Scenarios
import Timelines

extension TimelineFile {
  /// Adds what was recorded of a case; times count from the start of the program.
  ///
  /// - Parameters:
  ///   - recording: that.
  ///   - testCase: the case.
  ///   - isCompared: whether it is run with APICv and without.
  func add(_ recording: MachineRecording, of testCase: ScenarioCase, isCompared: Bool) {
    let circumstance = isCompared ? ", APICv \(testCase.isAPICvInhibited ? "off" : "on")" : ""
    let offset = Int64((recording.start - Lapwing.start) / .nanoseconds(1))
    let machine = TimelineMachine(
      name: testCase.id + circumstance, vcpuIDs: recording.ids, threads: recording.threads.map { [$0] })
    var timeline = begin(machine, exitNames: recording.exitNames, inhibitNames: recording.inhibitNames)
    recording.forEachEvent { timeline.take($0, at: $1 &+ offset) }
    for journey in recording.journeys { timeline.take(journey.shifted(by: offset)) }
    timeline.finish(lost: recording.lostEvents, absent: recording.absentEvents)
  }
}
