import APIC
import GuestContract
import Synchronization
import Testing

@testable import Measurements

/// Rounds of made-up measurements: their order, and what becomes of one that goes wrong.
@Suite struct BenchRunnerTests {
  private func cases(_ ids: [String]) -> [MeasurementCase] {
    ids.map { id in
      let measurement = Measurement.cost(id, "made up", .nothing)
      return MeasurementCase(measurement: measurement, mode: .x2APIC)
    }
  }

  @Test func `each round takes everything once and begins elsewhere`() {
    var order: [String] = []
    let runner = BenchRunner(rounds: 3) { _ in .samples([1, 2, 3], kHz: 1000) }
    let series = runner.run(cases(["a", "b", "c"]), watch: { order.append("\($0)\($1)") })
    #expect(order == ["1a", "1b", "1c", "2b", "2c", "2a", "3c", "3a", "3b"])
    #expect(series.map(\.measured.id) == ["a", "b", "c"])
    #expect(series.allSatisfy { $0.rounds.count == 3 && $0.summary?.n == 9 })
  }

  @Test func `what fails or is skipped is not tried again and does not end the others`() {
    let taken = Mutex<[String]>([])
    let runner = BenchRunner(
      rounds: 2, reasonToSkip: { $0.id == "b" ? "there is none" : nil },
      play: { measured in
        taken.withLock { $0.append(measured.id) }
        return measured.id == "a" ? .failed("the guest shut down") : .samples([7], kHz: 1000)
      })
    let series = runner.run(cases(["a", "b", "c"]))
    #expect(series.map(\.state) == [.failed("the guest shut down"), .skipped("there is none"), .measured])
    #expect(taken.withLock { $0 } == ["a", "c", "c"])
  }

  @Test func `an interruption leaves what was taken`() {
    let taken = Atomic<Int>(0)
    let runner = BenchRunner(rounds: 5) { _ in
      taken.wrappingAdd(1, ordering: .relaxed)
      return .samples([1], kHz: 1000)
    }
    let series = runner.run(cases(["a", "b"]), isInterrupted: { taken.load(ordering: .relaxed) == 3 })
    #expect(series.map(\.rounds.count) == [2, 1])
  }

  @Test(arguments: [[], [UInt64.max], [1, Series.largestSample + 1]])
  func `samples that cannot be are a failure, not a trap`(samples: [UInt64]) {
    let series = BenchRunner(rounds: 1) { _ in .samples(samples, kHz: 1) }.run(cases(["a"]))
    guard case .failed = series[0].state else {
      Issue.record("it is \(series[0].state)")
      return
    }
    #expect(series[0].summary == nil)
  }

  @Test func `figures are those of the samples`() throws {
    var series = Series(cases(["a"])[0])
    series.add(.samples((1...1000).map { $0 }, kHz: 1000))
    let summary = try #require(series.summary)
    #expect([summary.n, summary.min, summary.p50, summary.p90, summary.max] == [1000, 1, 500, 900, 1000])
    #expect((989...991).contains(summary.p99) && (998...1000).contains(summary.p999))
    #expect(abs(summary.mean - 500.5) < 0.5)
  }

  @Test func `the catalogue has unique ids, and words select from it`() {
    let all = MeasurementCase.all()
    #expect(Set(all.map(\.id)).count == all.count)
    #expect(MeasurementCase.named("eoi", among: all).map(\.id) == ["eoi.xapic", "eoi.x2apic"])
    #expect(MeasurementCase.named("tpr.x2apic", among: all).map(\.id) == ["tpr.x2apic"])
    #expect(MeasurementCase.named("exit.port", among: all).count == 2)
    #expect(MeasurementCase.named("no.such", among: all).isEmpty)
    #expect(MeasurementCase.named("snapshot", among: all).map(\.id) == ["snapshot.pause"])
  }
}
