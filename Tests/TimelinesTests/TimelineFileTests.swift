import APIC
import Foundation
import Support
import SystemPackage
import Testing

@testable import Evidence
@testable import Timelines

@Suite struct TimelineFileTests {
  @Test(arguments: TimelineFile.Format.allCases)
  func `a file that is not completed leaves nothing behind, and what was there as it was`(
    format: TimelineFile.Format
  ) throws {
    let made = try MadeUpTimeline(format)
    try Data("precious".utf8).write(to: URL(fileURLWithPath: made.path))
    do {
      let file = try made.begin()
      var timeline = MadeUpTimeline.machine(in: file)
      for number in 0..<5000 { timeline.take(.injected(at: Int64(number) * 10_000)) }
    }
    #expect(try made.bytes == Array("precious".utf8))
    #expect(made.names == ["timeline"])
    _ = try made.write("guest", [], [.injected(at: 0)])
    #expect(try made.bytes != Array("precious".utf8))
    #expect(made.names == ["timeline"])
  }

  @Test func `the ending of a file's name says what it is to be`() {
    #expect(TimelineFile.Format(fileName: "a/b.pftrace") == .perfetto)
    #expect(TimelineFile.Format(fileName: "b.HTML") == .html)
    #expect(TimelineFile.Format(fileName: "c.x.svg") == .svg)
    for name in ["", "svg", ".svg", "a.svg.gz", "a.", "a.json"] { #expect(TimelineFile.Format(fileName: name) == nil) }
  }

  /// In processes of their own, whose memory is only this.
  @Test func `the memory of a trace does not grow with the events`() async {
    await #expect(processExitsWith: .success) { try Self.storm(.perfetto) }
  }

  @Test func `the memory of a page does not grow with the events`() async {
    await #expect(processExitsWith: .success) { try Self.storm(.html) }
  }

  private static func storm(_ format: TimelineFile.Format) throws {
    let made = try MadeUpTimeline(format)
    let file = try made.begin()
    var timeline = MadeUpTimeline.machine(in: file)
    func storm(_ rounds: Range<Int>) {
      for round in rounds {
        let time = UInt64(round) * 1000
        timeline.take(event(time, on: 101, .entered(vcpuID: 7)), at: Int64(time))
        let exit = event(time + 500, on: 101, .exited(reason: ExitReason(number: UInt32(round % 60), architecture: 1)))
        timeline.take(exit, at: Int64(time) + 500)
        timeline.take(.injected(at: Int64(time)))
      }
    }
    // By then all is kept that is kept for a time.
    storm(0..<20_000)
    let before = try residentKiB()
    storm(20_000..<60_000)
    let growth = try residentKiB() - before
    timeline.finish(lost: 0, absent: [])
    try file.commit()
    // Two thirds of it were written meanwhile.
    let written = try made.bytes.count / 1024 * 2 / 3
    #expect(growth < 2500 && written > 5000, "it grew by \(growth) KiB, and wrote \(written) KiB")
  }

  private static func residentKiB() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
    return try #require(Int(line.split(whereSeparator: \.isWhitespace)[1]))
  }
}
