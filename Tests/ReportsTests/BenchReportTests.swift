import APIC
import Foundation
import FoundationXML
import GuestContract
import Measurements
import Synchronization
import Testing

@testable import Reports

/// What a run of made-up measurements is written as.
@Suite struct BenchReportTests {
  /// A run of 2 GHz guests: each measurement by its id and the medians of its rounds, in cycles; no medians fail it. Those
  /// of `needed` want what this host has not.
  static func madeUp(_ medians: KeyValuePairs<String, [UInt64]>, skipping needed: Set<String> = []) -> BenchReport {
    let series = medians.map { id, medians in
      let measurement = Measurement(
        id, "The time of <\(id)>", .latency, span: "from here to there",
        by: .guest(.nothing, target: .running, vcpus: 1))
      let measured = MeasurementCase(measurement: measurement, mode: .x2APIC)
      let rounds = Mutex(medians)
      let runner = BenchRunner(
        rounds: max(medians.count, 1), reasonToSkip: { needed.contains($0.id) ? "there is no KVM_CAP_X" : nil },
        play: { _ in
          guard let median = rounds.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else {
            return .failed("it \"hung\"")
          }
          return .samples([median - 10, median, median + 10], kHz: 2_000_000)
        })
      return runner.run([measured])[0]
    }
    return BenchReport(
      series, host: .init(kernel: "6.18.0", backEnd: "kvm_intel", apicv: "enable_apicv is Y"),
      options: .init(rounds: 10, samples: 3), duration: .milliseconds(1500))
  }

  private static func around(_ median: UInt64) -> [UInt64] { (0..<10).map { median + $0 * 7 % 10 } }

  @Test func `the text has the figures, the distributions and what failed`() {
    let text = Self.madeUp(["ipi.running": [4000, 4000], "msi": []]).text()
    #expect(text.contains(#/(?m)^  ipi.running +(2.0[01] µs +){7}6$/#))
    #expect(text.contains("FAILED   msi: it \"hung\""))
    #expect(text.contains("1 measured, 1 failed, 0 skipped; 10 rounds of 3 samples each, in 1500.0 ms, on kvm_intel"))
    #expect(text.contains("█"))
    #expect(text.contains("1 µs        10 µs"))
  }

  @Test func `what this host cannot measure is skipped with the reason, and no failure`() throws {
    let report = Self.madeUp(["ipi.running": [4000], "msi": [4000]], skipping: ["msi"])
    #expect(report.success && report.measurements.map(\.state) == [.measured, .skipped])
    let text = report.text()
    #expect(text.contains("skip     msi: there is no KVM_CAP_X"))
    #expect(text.contains("1 measured, 0 failed, 1 skipped"))
    let back = try BenchReport(json: Array(JSONDocument.text(report).utf8))
    #expect(back.measurements[1].reason == "there is no KVM_CAP_X" && back.measurements[1].cycles == nil)
  }

  @Test func `JSON comes back as it was`() throws {
    let report = Self.madeUp(["ipi.running": Self.around(4000), "msi": []])
    #expect(!report.success)
    let text = try JSONDocument.text(report)
    let back = try BenchReport(json: Array(text.utf8))
    #expect(try JSONDocument.text(back) == text)
    let measured = try #require(back.measurements.first)
    #expect(measured.rounds?.count == 10 && measured.cycles?.n == 30)
    #expect(measured.nanoseconds?.min == 1995)
    #expect(measured.histogram?.counts.reduce(0, +) == 30)
  }

  @Test(arguments: [
    ("", "it is no JSON"), ("[]", "a value has the wrong type"), ("{}", "the key 'schema' is missing"),
    (#"{"schema": "lapwing.run/1"}"#, "it is 'lapwing.run/1', not 'lapwing.bench/1'"),
    (#"{"schema": "lapwing.bench/1"}"#, "the key 'success' is missing"),
  ])
  func `what is no report of measurements is refused with a reason`(text: String, reason: String) {
    let error = #expect(throws: JSONDocument.Unreadable.self) { try BenchReport(json: Array(text.utf8)) }
    #expect(error?.description.contains(reason) == true)
  }

  @Test func `rounds without a frequency, or too many of them, are refused`() throws {
    var report = Self.madeUp(["a": [4000]])
    report.measurements[0].tscKHz = nil
    #expect(throws: JSONDocument.Unreadable.self) { try BenchReport(json: Array(JSONDocument.text(report).utf8)) }
    report = Self.madeUp(["a": [4000]])
    report.measurements[0].rounds = Array(repeating: try #require(report.measurements[0].cycles), count: 1001)
    #expect(throws: JSONDocument.Unreadable.self) { try BenchReport(json: Array(JSONDocument.text(report).utf8)) }
  }

  @Test func `a comparison finds the measurement that is slower, and no other`() throws {
    let earlier = Self.madeUp(["fast": Self.around(4000), "same": Self.around(9000), "gone": [1000]])
    let report = Self.madeUp(["fast": Self.around(4800), "same": Self.around(9000), "new": [1000]])
    let comparison = BenchComparison(of: report, with: earlier)
    #expect(comparison.differences.map(\.id) == ["fast", "fast", "same", "same"])
    #expect(comparison.differences.map(\.verdict) == [.slower, .slower, .notShown, .notShown])
    let shift = try #require(comparison.differences[0].shift)
    #expect(abs(shift.ratio - 1.2) < 0.01 && shift.low > 1.18 && shift.high < 1.22)
    #expect(comparison.differences.allSatisfy { $0.adjustedPValue >= $0.pValue })
    #expect(comparison.isSlower(byPercent: 15) && !comparison.isSlower(byPercent: 25))
    #expect(comparison.notCompared == ["new", "gone"])
    #expect(comparison.notes == [])
    let back = BenchComparison(of: earlier, with: report)
    #expect(back.differences.map(\.verdict) == [.faster, .faster, .notShown, .notShown])
    #expect(!back.isSlower(byPercent: 0))
  }

  @Test func `a comparison says what makes it worth little`() {
    var earlier = Self.madeUp(["a": [4000, 4001, 4002]])
    earlier.host.kernel = "6.1.0"
    earlier.options.samples = 50
    var report = Self.madeUp(["a": [8000, 8001, 8002]])
    let comparison = BenchComparison(of: report, with: earlier)
    #expect(comparison.differences.allSatisfy { $0.verdict == .notShown })
    #expect(comparison.notes.count == 3)
    #expect(comparison.notes.contains { $0.hasPrefix("3 and 3 rounds are too few") })
    report.comparison = comparison
    let text = report.text()
    #expect(text.contains("note: the runs were made on different hosts or kernels"))
    #expect(text.contains(#/a +p50 +2.00 µs +4.00 µs +\+\d+.\d % /#))
    #expect(text.contains("0 of 2 figures shown to differ"))
  }

  @Test(arguments: [0, 2]) func `the drawing is well-formed XML with a row a measurement`(measured: Int) throws {
    let report =
      measured == 0 ? Self.madeUp(["msi": []]) : Self.madeUp(["a & b": [20_000_000_000, 4100], "msi": [50]])
    let document = try XMLDocument(xmlString: report.svg)
    #expect(document.rootElement()?.name == "svg")
    let rows = try document.nodes(forXPath: "//*[local-name()='g']")
    #expect(rows.count == measured)
    #expect(rows.allSatisfy { ($0.children ?? []).contains { $0.name == "rect" } })
  }

  @Test func `an axis has its samples where they belong, the strange ones too`() throws {
    let scale = try #require(LogScale([0, 1500, 900_000]))
    #expect(scale.start == 1000 && scale.decades == 3)
    #expect(scale.position(0) == 0 && scale.position(1000) == 0)
    #expect(abs(scale.position(10_000) - 12) < 1e-6 && scale.position(1e12) == 36)
    #expect(scale.counts([(0, 2), (900_000, .max), (950_000, 1)]).filter { $0 > 0 } == [2, .max])
    #expect(scale.marks.map(\.label) == ["1 µs", "10 µs", "100 µs", "1 ms"])
    #expect(LogScale([]) == nil)
    #expect(LogScale([0])?.decades == 1)
    #expect(LogScale([1e300]) != nil)
  }

  @Test(arguments: [
    (0, "0 ns"), (812.4, "812 ns"), (999.9, "1.00 µs"), (3040, "3.04 µs"), (12_340, "12.3 µs"), (999_600, "1.00 ms"),
    (123_456_789, "123 ms"), (2.5e9, "2.50 s"),
  ])
  func `times have three digits that count`(nanoseconds: Double, text: String) {
    #expect(Units.shortTime(nanoseconds) == text)
  }
}
