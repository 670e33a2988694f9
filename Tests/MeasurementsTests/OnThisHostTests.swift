import KVM
import Testing

@testable import Measurements

/// Every measurement, taken on this host: that there are samples, and that their figures are in order. How long anything
/// takes is nothing that a test asks.
@Suite(.needsKVM, .serialized) struct OnThisHostTests {
  @Test(arguments: MeasurementCase.all().map(\.id))
  func `as many samples as were asked for, in order`(id: String) throws {
    let measured = try #require(MeasurementCase.named(id, among: MeasurementCase.all()).first)
    let runner = MeasurementRunner(system: try KVM.open(), samples: 5)
    if let reason = runner.reasonToSkip(measured.measurement) { try Test.cancel("\(reason)") }
    let series = BenchRunner(runner, rounds: 2).run([measured])
    #expect(series[0].state == .measured)
    #expect(series[0].kHz > 0)
    #expect(series[0].rounds.map(\.n) == [5, 5])
    let summary = try #require(series[0].summary)
    #expect(summary.n == 10)
    #expect(summary.min <= summary.p50 && summary.p50 <= summary.p90 && summary.p90 <= summary.p99)
    #expect(summary.p99 <= summary.p999 && summary.p999 <= summary.max)
    #expect(Double(summary.min) <= summary.mean && summary.mean <= Double(summary.max) * 1.001)
    #expect(summary.max > 0)
    #expect(series[0].buckets.reduce(0) { $0 + $1.count } == 10)
  }

  @Test(arguments: ["exit.cpuid", "snapshot.pause"])
  func `a round that takes too long fails and says so`(id: String) throws {
    var runner = MeasurementRunner(system: try KVM.open(), samples: 10_000)
    runner.limit = .milliseconds(1)
    let measured = try #require(MeasurementCase.named(id, among: MeasurementCase.all()).first)
    #expect(runner.round(measured) == .failed("the time limit passed"))
  }
}
