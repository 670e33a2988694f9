import APIC
import Foundation
import Support
import SystemPackage
import Testing

@testable import Evidence
@testable import Timelines

/// A timeline of a recording that is made up, in a folder that goes with the test.
final class MadeUpTimeline {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("timelines-\(UUID().uuidString)")
  let format: TimelineFile.Format

  init(_ format: TimelineFile.Format) throws {
    self.format = format
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  var path: String { folder.appendingPathComponent("timeline").path }
  var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] }

  /// Begins the file.
  func begin() throws -> TimelineFile {
    try TimelineFile(OutputFile(FilePath(path), permissions: [.ownerReadWrite]), format)
  }

  /// Begins the timeline of a machine, on a host that has names of the first inhibits alone.
  static func machine(_ name: String = "made up", in file: TimelineFile) -> MachineTimeline {
    file.begin(.madeUp(name), exitNames: ExitNames(), inhibitNames: InhibitNames(["DISABLED", "HYPERV"]))
  }

  /// Writes a timeline of one machine with the vCPU ids 0 and 7, on the threads 100 and 101.
  ///
  /// - Returns: the file's bytes.
  func write(
    _ name: String = "made up", _ events: [TraceEvent] = [], _ journeys: [InterruptJourney] = [], lost: UInt64 = 0
  ) throws -> [UInt8] {
    let file = try begin()
    var timeline = Self.machine(name, in: file)
    for event in events { timeline.take(event, at: Int64(event.time)) }
    for journey in journeys { timeline.take(journey) }
    timeline.finish(lost: lost, absent: [])
    try file.commit()
    return try bytes
  }

  var bytes: [UInt8] {
    get throws { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }
  }
}

extension TimelineMachine {
  static func madeUp(_ name: String = "made up") -> TimelineMachine {
    TimelineMachine(name: name, vcpuIDs: [0, 7], threads: [[100], [101]])
  }
}

extension InterruptJourney {
  /// An IPI from vCPU 0 to vCPU 1 that software injected.
  static func injected(at time: Int64, vector: Vector = 0x50, waits: Int64 = 100, served: Int64 = 1000) -> Self {
    var journey = InterruptJourney(vcpu: 1, vector: vector)
    journey.source = .ipi(vcpu: 0)
    journey.accepted = time
    journey.injected = time + waits
    journey.ended = time + waits + served
    journey.path = .software
    return journey
  }
}

/// An event on the thread of vCPU 0 (100) or 1 (101).
func event(_ time: UInt64, on thread: Int32, _ detail: TraceEvent.Detail) -> TraceEvent {
  TraceEvent(time: time, thread: thread, detail: detail)
}
