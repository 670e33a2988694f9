import ArgumentParser
import Foundation
import KVM
import Measurements

/// What `lapwing bench` measures, with Lapwing's machine and with the floor's.
///
/// Both run the same guest image, which measures with its TSC, and answer it in one process and in turns.
@main
struct Latencies: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latencies",
    abstract: "Compares latencies and exit costs with Lapwing and with a bare VMM in C.",
    discussion: """
      FILTER is the beginning of ids, such as ipi.; 'lapwing bench --list' shows them. Exit status: 0 success; 1 a guest \
      failed; 64 wrong usage; 69 this host cannot; 70 an internal fault.
      """)

  /// How the result is printed.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case human
    case json
  }

  @Argument(help: "What to measure; everything without one.")
  var filters: [String] = []

  @Option(help: "How many rounds are counted; in a round each machine takes each measurement once.")
  var rounds = 20

  @Option(help: "How many samples a round has.")
  var samples = 100

  @Option(help: "How to print the result.")
  var format = Format.human

  func validate() throws {
    guard 1...1000 ~= rounds else { throw ValidationError("--rounds takes 1 to 1000.") }
    // What the floor's log holds, without those of the warm-up.
    guard 1...10_000 ~= samples else { throw ValidationError("--samples takes 1 to 10000.") }
  }

  func run() throws {
    do throws(Failure) {
      let result = try compare()
      print(format == .json ? try result.json() : result.table())
    } catch {
      FileHandle.standardError.write(Data("latencies: \(error.message)\n".utf8))
      throw ExitCode(error.status)
    }
  }

  private func compare() throws(Failure) -> LatencyComparison {
    let cases = try select()
    let system: System
    do throws(KVMError) { system = try KVM.open() } catch { throw Failure("\(error)", Failure.hostCannot) }
    let lapwing = MeasurementRunner(system: system, samples: samples)
    let floor = try FloorRunner(samples: samples)
    var comparison = LatencyComparison(rounds: rounds, samples: samples)
    var open: [MeasurementCase] = []
    for measured in cases {
      if case .snapshots = measured.measurement.means {
        comparison.skipped.append("\(measured.id): the floor takes no snapshots")
      } else if let reason = lapwing.reasonToSkip(measured.measurement) {
        comparison.skipped.append("\(measured.id): \(reason)")
      } else {
        open.append(measured)
      }
    }
    // Measurements take turns too, so that the rounds of one lie far apart.
    for round in 0..<rounds {
      for measured in open {
        let pair = try takePair(measured, lapwing, floor, floorFirst: round.isMultiple(of: 2))
        comparison.add(measured.id, floor: pair.floor, lapwing: pair.lapwing)
      }
    }
    return comparison
  }

  private func select() throws(Failure) -> [MeasurementCase] {
    let all = MeasurementCase.all()
    guard !filters.isEmpty else { return all }
    let ids = Set(filters.flatMap { MeasurementCase.named($0, among: all).map(\.id) })
    guard !ids.isEmpty else { throw Failure("no measurement is named so", 64) }
    return all.filter { ids.contains($0.id) }
  }

  /// The medians of a round, in nanoseconds. Who goes first changes, so that neither has always the other's caches.
  private func takePair(
    _ measured: MeasurementCase, _ lapwing: MeasurementRunner, _ floor: FloorRunner, floorFirst: Bool
  ) throws(Failure) -> (floor: Double, lapwing: Double) {
    var floorMedian = 0.0
    if floorFirst { floorMedian = try floor.median(of: measured) }
    let lapwingMedian: Double
    switch lapwing.round(measured) {
    case .samples(let cycles, let kHz): lapwingMedian = roundMedian(cycles, kHz: kHz)
    case .failed(let reason), .noRoom(let reason):
      throw Failure("\(measured.id) with Lapwing: \(reason)", Failure.guestFailed)
    }
    if !floorFirst { floorMedian = try floor.median(of: measured) }
    return (floorMedian, lapwingMedian)
  }
}

/// The median of TSC cycles, in nanoseconds.
func roundMedian(_ cycles: [UInt64], kHz: UInt32) -> Double {
  let sorted = cycles.sorted()
  guard let middle = sorted.isEmpty ? nil : sorted[sorted.count / 2] else { return .nan }
  return Double(middle) * 1e6 / Double(kHz)
}

/// Something went wrong: what a person reads on standard error, and how the program ends (sysexits.h).
struct Failure: Error {
  static let guestFailed: Int32 = 1
  static let hostCannot: Int32 = 69
  static let internalFault: Int32 = 70

  let message: String
  let status: Int32

  init(_ message: String, _ status: Int32) {
    self.message = message
    self.status = status
  }
}
