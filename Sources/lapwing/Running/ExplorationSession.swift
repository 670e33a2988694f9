import Exploration
import Glibc
import Support
import Synchronization
import SystemPackage
import VMM

/// An exploration on several threads, until its time is up or a signal ends it.
final class ExplorationSession {
  /// Far longer than any step lasts, in nanoseconds: a thread of an emulated host may have to wait for its turn.
  private static let longestStep: UInt64 = 30_000_000_000

  private let explorer: Explorer
  private let start = ContinuousClock.now
  private(set) var duration = Duration.zero
  private var toldFindings = 0

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
        guard number > 0 else { throw Failure(.thread(errno: error.rawValue)) }
        // Fewer threads do the same, only slower.
        workers.end()
      }
    }
    var (shown, told) = (start, start)
    while !workers.areDone {
      usleep(20_000)
      if explorer.abandon(after: Self.longestStep) { break }
      if signals.isPending || .now >= start + length { explorer.stop() }
      if .now >= told + .seconds(1) {
        told = .now
        tellFindings()
      }
      if .now >= shown + .seconds(10) {
        shown = .now
        showProgress()
      }
    }
    tellFindings()
    duration = .now - start
    return signals.release()
  }

  /// Says what was found as soon as it is, in a line each: a host that does not live to see the report has shown something by then.
  private func tellFindings() {
    guard OutputDescriptor.isReady(STDERR_FILENO) else { return }
    let findings = explorer.result.findings.dropFirst(toldFindings)
    for (finding, _) in findings {
      let difference = finding.mismatches.first.map { "expected \($0.expected), seen \($0.seen); " } ?? ""
      StandardError.print(
        TextLine(
          "found at \(finding.signature): \(difference)\(finding.history.steps.count) steps, "
            + "shown again in \(finding.rate.shown) of \(finding.rate.of)"))
    }
    toldFindings += findings.count
  }

  private func showProgress() {
    // A reader who has gone to sleep holds nobody up.
    guard OutputDescriptor.isReady(STDERR_FILENO) else { return }
    let result = explorer.result
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    StandardError.print(
      TextLine(
        "\(Int(seconds)) s: \(result.operations) operations, \(Int(Double(result.operations) / seconds)) a second, "
          + "\(result.coverage.metText), \(result.findings.count) findings"))
  }

  /// How many threads still work.
  private final class Workers: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int) { left = Atomic(count) }

    func end() { left.subtract(1, ordering: .releasing) }

    var areDone: Bool { left.load(ordering: .acquiring) <= 0 }
  }
}
