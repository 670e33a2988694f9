import APIC
import BuiltInGuests
import GuestContract
import KVM
import MachineState
import Testing
import VMM

@testable import Measurements

/// The pause of a snapshot, as a guest on this host sees it.
@Suite(.needsKVM, .serialized) struct SnapshotPauseTests {
  /// The samples of a round in nanoseconds, and how long the round took.
  private func round(_ id: String, samples: Int) throws -> (nanoseconds: [Double], duration: Duration) {
    let runner = MeasurementRunner(system: try KVM.open(), samples: samples)
    let measured = try #require(MeasurementCase.named(id, among: MeasurementCase.all()).first)
    let start = ContinuousClock.now
    let result = runner.round(measured)
    let duration = ContinuousClock.now - start
    guard case .samples(let cycles, let kHz) = result else {
      Issue.record("\(id): \(result)")
      return ([], duration)
    }
    return (cycles.map { Double($0) * 1e6 / Double(kHz) }, duration)
  }

  @Test func `every pause is one, and all together are no longer than the round`() throws {
    let (pauses, duration) = try round("snapshot.pause", samples: 12)
    #expect(pauses.count == 12)
    // To stand still takes an exit, and so longer than to read the TSC twice.
    let reading = try #require(try round("tsc", samples: 100).nanoseconds.min())
    #expect(pauses.allSatisfy { $0 > reading })
    #expect(pauses.reduce(0, +) < duration / .nanoseconds(1))
  }

  @Test func `each turn has its snapshot, for which the guest stands still while it runs`() throws {
    let image = try #require(BuiltInGuest.named("bench")).image
    let measured = MeasurementCase(measurement: .snapshotPause, mode: .x2APIC)
    var configuration = MachineConfiguration()
    configuration.arguments = measured.arguments(samples: 4)
    let machine = try Machine(configuration, image: image, on: try KVM.open(), console: Console())
    var snapshots: [Snapshot] = []
    let outcome = try machine.runWithSnapshots(limit: .seconds(60)) { snapshots.append($0) }
    #expect(outcome.isSuccess)
    #expect(snapshots.count == 4 + Int(LAPWING_BENCH_WARM_UPS))
    #expect(snapshots.allSatisfy { $0.pause ?? .zero > .zero && $0.state.vcpus.count == 1 && $0.memory.pages > 0 })
    // Each is of another moment.
    let moments = snapshots.map(\.state.time.hostTSC)
    #expect(Set(moments).count == snapshots.count && moments == moments.sorted())
  }

  @Test func `a guest that fails ends the snapshots at once, and says how`() throws {
    // Nobody has told it what to measure.
    let image = try #require(BuiltInGuest.named("bench")).image
    let machine = try Machine(MachineConfiguration(), image: image, on: try KVM.open(), console: Console())
    let outcome = try machine.runWithSnapshots(limit: .seconds(60))
    #expect(outcome.description == "the guest finished with status 64 on vCPU 0")
  }
}
