import APIC
import BuiltInGuests
import GuestContract
public import KVM
import MachineState
import VMM

/// Takes measurements on this host, each round on a machine of its own.
public struct MeasurementRunner: Sendable {
  private let system: System
  /// How many samples a round has.
  public let samples: Int
  /// How long a round may take.
  public var limit = Duration.seconds(60)

  /// The most samples that a round can have.
  public static let samplesLimit = 100_000

  /// A runner on this host.
  ///
  /// - Parameters:
  ///   - system: its KVM.
  ///   - samples: how many a round has, 1 to `samplesLimit`.
  public init(system: System, samples: Int) {
    self.system = system
    self.samples = min(max(samples, 1), Self.samplesLimit)
  }

  /// Why a measurement cannot be taken here; nil where it can.
  public func reasonToSkip(_ measurement: Measurement) -> String? {
    for need in measurement.needs where ((try? system.check(need)) ?? 0) <= 0 {
      return "this kernel's KVM has no \(need.name)"
    }
    let most = max((try? system.check(.maxVCPUs)) ?? 1, (try? system.check(.nrVCPUs)) ?? 1)
    let vcpus = MeasurementCase(measurement: measurement, mode: .x2APIC).vcpus
    return most < vcpus ? "this kernel's KVM runs \(most) vCPU, and it takes \(vcpus)" : nil
  }

  /// Takes one round.
  public func round(_ measured: MeasurementCase) -> RoundResult {
    do throws(MachineError) {
      return try run(measured)
    } catch {
      return MachineError.isShortage(error) ? .noRoom(error.description) : .failed(error.description)
    }
  }

  private func configuration(of measured: MeasurementCase) -> MachineConfiguration {
    var configuration = MachineConfiguration()
    configuration.vcpus = measured.vcpus
    configuration.apic = measured.mode == .x2APIC ? .x2APIC : .xAPIC
    configuration.logCapacity = UInt64(samples) + 64
    configuration.arguments = measured.arguments(samples: samples)
    return configuration
  }

  private func run(_ measured: MeasurementCase) throws(MachineError) -> RoundResult {
    guard let guest = BuiltInGuest.named("bench") else { return .failed("there is no guest 'bench'") }
    let machine = try Machine(configuration(of: measured), image: guest.image, on: system, console: Console())
    let outcome =
      switch measured.measurement.means {
      // Nothing is to be done meanwhile: whoever woke now and then would take time from the guest.
      case .guest: try machine.run(limit: limit, every: limit)
      case .snapshots: try machine.runWithSnapshots(limit: limit)
      }
    let records = machine.log.next()
    guard outcome.isSuccess else {
      let checks = records.compactMap { record in
        if case .check(let label, holds: false, saw: _) = record.event { "not so: \(label)" } else { nil }
      }
      let reason = ([outcome.description] + checks).joined(separator: "; ")
      if case .runFailed(let error, _) = outcome, error.isShortage { return .noRoom(reason) }
      return .failed(reason)
    }
    let taken = records.compactMap { record in
      if case .value(LAPWING_BENCH_SAMPLE, let cycles) = record.event { cycles } else { nil }
    }
    guard taken.count == samples else { return .failed("the guest gave \(taken.count) of \(samples) samples") }
    return .samples(taken, kHz: machine.clock.kHz)
  }
}

extension Machine {
  /// How often is looked whether the guest has begun its next turn.
  private static let period = Duration.milliseconds(1)

  /// Runs the guest `bench` to its end with a snapshot in each of its turns: the host's part of LAPWING_BENCH_SNAPSHOT.
  ///
  /// - Parameters:
  ///   - limit: how long, at the most; a snapshot that has begun is finished first.
  ///   - look: is given each snapshot before it is dropped, and before the turn ends.
  /// - Returns: how the guest ended.
  /// - Throws: `MachineError` for a thread that cannot be started, and for what KVM refuses; the guest is ended then.
  func runWithSnapshots(
    limit: Duration, look: (Snapshot) -> Void = { _ in }
  ) throws(MachineError) -> Outcome {
    let deadline = ContinuousClock.now + limit
    let running = try start()
    var turn: UInt32 = 0
    while stop.reason == nil {
      let left = deadline - .now
      guard left > .zero else {
        stop.stop(.timeLimit)
        break
      }
      let reached = progress.mark
      guard reached != turn else {
        stop.wait(atMost: min(left, Self.period))
        continue
      }
      turn = reached
      look(try snapshot())
      try endTurn()
    }
    return running.finish()
  }

  private func endTurn() throws(MachineError) {
    let vector = Vector(rawValue: UInt8(LAPWING_BENCH_VECTOR))
    do throws(KVMError) {
      try interrupts.signal(MSIMessage(vector: vector, destination: .physical(configuration.apicIDs[0])))
    } catch {
      throw .kvm(error)
    }
  }
}
