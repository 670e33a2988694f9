import Exploration
import Glibc
import KVM
import ReferenceModel
import Support
import Synchronization
import SystemPackage

/// An exploration on several threads, until its time is up or a signal ends it.
final class ExplorationSession {
  private let explorer: Explorer
  private let start = ContinuousClock.now
  private(set) var duration = Duration.zero

  init(_ explorer: Explorer) { self.explorer = explorer }

  /// What has come of it.
  var result: Explorer.Result { explorer.result }

  /// Explores.
  ///
  /// - Returns: the signal that ended it; nil for none.
  /// - Throws: `Failure` where the host has no thread for it.
  func run(jobs: Int, for length: Duration) throws(Failure) -> Int32? {
    let signals = InterruptSignals()
    let workers = Workers(jobs)
    let explorer = explorer
    for number in 0..<jobs {
      do throws(Errno) {
        try HostThread.startDetached {
          explorer.work()
          workers.end()
        }
      } catch {
        guard number > 0 else { throw Failure("no thread can be started: \(error)", .hostCannot) }
        // Fewer threads do the same, only slower.
        workers.end()
      }
    }
    var shown = start
    while !workers.areDone {
      usleep(20_000)
      if signals.isPending || .now >= start + length { explorer.stop() }
      if .now >= shown + .seconds(10) {
        shown = .now
        showProgress()
      }
    }
    duration = .now - start
    return signals.release()
  }

  private func showProgress() {
    let result = explorer.result
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    StandardError.print(
      TextLine(
        "\(Int(seconds)) s: \(result.operations) operations, \(Int(Double(result.operations) / seconds)) a second, "
          + "\(result.coverage.pairCount) pairs of operations, \(result.findings.count) findings"))
  }

  /// How many threads still work.
  private final class Workers: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int) { left = Atomic(count) }

    func end() { left.subtract(1, ordering: .releasing) }

    var areDone: Bool { left.load(ordering: .acquiring) <= 0 }
  }
}

/// What is explored: this host's KVM, or the model's image of a kernel with a fault.
struct ExplorationBench {
  let bench: HistoryBench
  /// Whether vCPUs execute instructions.
  let hasGuest: Bool
  /// What it is, for a person.
  let subject: String

  init(fault name: String?, without: [String], hasGuest: Bool) throws(Failure) {
    let clock = HistoryBench.clock()
    var deviations = name == nil ? Deviations.of(HostSurvey.take()) : .kvm
    for deviation in Deviation.allCases where without.contains(deviation.name) {
      deviations = deviations.without(deviation)
    }
    if let name, let fault = Fault.named(name) {
      bench = HistoryBench(deviations: deviations, clock: clock) { machine throws(KVMError) in
        FaultySubject(
          ReferenceMachine.Configuration(vcpus: machine.vcpus, deviations: .kvm), fault: fault, clock: clock)
      }
      self.hasGuest = hasGuest
      subject = "the model with the fault \(fault.name): \(fault.summary)"
      return
    }
    let system = try openKVM(forManyMachines: true)
    do throws(KVMError) {
      let cpuid = try KVMSubject.cpuid(of: system)
      bench = HistoryBench(deviations: deviations, clock: clock) { machine throws(KVMError) in
        try KVMSubject(system, vcpus: machine.vcpus, cpuid: cpuid, hasGuest: hasGuest)
      }
    } catch {
      throw Failure(error)
    }
    self.hasGuest = hasGuest
    subject = "KVM\(hasGuest ? ", vCPUs run" : ", host side alone")"
  }
}

/// What an exploration has come to, for a person.
struct ExplorationText {
  private let result: Explorer.Result
  private let duration: Duration
  private let deviations: Deviations

  init(_ result: Explorer.Result, duration: Duration, deviations: Deviations) {
    self.result = result
    self.duration = duration
    self.deviations = deviations
  }

  /// The report.
  var text: String {
    var lines = result.findings.flatMap { describe($0.finding, count: $0.count) }
    lines.append("operations")
    for operation in result.coverage.operations {
      let answers = operation.answers.map { "\($0.name) \($0.count)" }
      lines.append("  \(operation.name.padded(18)) " + (answers.isEmpty ? "never" : answers.joined(separator: ", ")))
    }
    let seconds = max(duration / .seconds(1), 0.001)
    let rate = Int(Double(result.operations) / seconds)
    let found =
      switch result.findings.count {
      case 0: "no difference"
      case 1: "1 DIFFERENCE"
      default: "\(result.findings.count) DIFFERENCES"
      }
    lines.append(
      "\(result.operations) operations in \(result.histories) histories, \(rate) a second; "
        + "\(result.coverage.pairCount) pairs of operations; \(found)")
    return lines.joined(separator: "\n")
  }

  private func describe(_ finding: HistoryFinding, count: Int) -> [String] {
    let machine = finding.history.machine
    var lines = [
      "DIFFERENCE at \(finding.signature)",
      "  in \(count) of the histories; \(finding.originalSteps) steps, shrunk to \(finding.history.steps.count); "
        + "shown again in \(finding.rate.shown) of \(finding.rate.of)",
      "  \(machine.vcpus) vCPUs in \(machine.startsInX2APIC ? "x2APIC" : "xAPIC") mode",
    ]
    for (number, step) in finding.history.steps.enumerated() { lines.append("  \(number + 1). \(step.text)") }
    lines += Self.mismatches(finding.mismatches)
    lines.append("  as source:")
    lines += finding.history.source(deviations).map { "    " + $0 }
    return lines
  }

  private static func mismatches(_ mismatches: [StateMismatch]) -> [String] {
    mismatches.map { "  \($0.place): expected \($0.expected), seen \($0.seen)" }
  }

  /// A history step by step, as it went.
  static func table(_ told: [ToldStep]) -> [String] {
    let width = told.map(\.step.count).max() ?? 0
    let answers = max(8, told.map(\.expected.count).max() ?? 0)
    var lines = ["    \("step".padded(width))  \("expected".padded(answers))  seen"]
    for (number, step) in told.enumerated() {
      let place = "\(number + 1).".padded(3)
      lines.append("\(place) \(step.step.padded(width))  \(step.expected.padded(answers))  \(step.seen)")
      lines += mismatches(step.mismatches)
    }
    lines.append(told.last?.mismatches.isEmpty == false ? "the difference shows" : "no difference")
    return lines
  }
}
