import KVM
import MachineState
public import VMM

/// Finds out that a machine cannot go on: every vCPU waits, and nothing that could wake one is there.
///
/// It looks at KVM's statistics, which costs the guest nothing. Where all vCPUs have stood still since the last look it takes
/// the machine's state, once until one of them has moved: a guest that sleeps is disturbed once a sleep.
public struct IdleWatch {
  private let machine: Machine
  private let ownSources: () -> [String]
  private let externalSources: [String]
  private let files: [StatisticsFile]
  private var last: [UInt64] = []
  private var examined: [UInt64] = []
  private var examinedSources: [String] = []
  /// Since when only somebody outside can end the wait.
  private var idle: (since: ContinuousClock.Instant, report: IdleReport)?
  private var hasTold = false

  /// How long a machine may wait for somebody outside before that is worth a word.
  private static let patience = Duration.seconds(1)

  /// Watches a machine.
  ///
  /// - Parameters:
  ///   - machine: the machine, not yet run.
  ///   - ownSources: what is to raise an interrupt by itself and is not in the machine's state, in words for a person. It is
  ///     asked before the state is taken, so that what has come since is in the state.
  ///   - externalSources: what else may raise an interrupt from outside, in words for a person.
  /// - Returns: nil where this kernel does not say whether a vCPU waits (`blocking`, Linux 5.17).
  public init?(_ machine: Machine, ownSources: @escaping () -> [String] = { [] }, externalSources: [String] = []) {
    var files: [StatisticsFile] = []
    for vcpu in machine.vcpus {
      guard let file = try? vcpu.openStatistics(), file.descriptors.contains(where: { $0.name == "blocking" }) else {
        return nil
      }
      files.append(file)
    }
    self.machine = machine
    self.ownSources = ownSources
    self.externalSources = externalSources
    self.files = files
  }

  /// Looks. Called now and then while the machine runs.
  ///
  /// - Returns: what is worth a word, once: that the machine waits for somebody outside. A machine that waits for good is
  ///   ended, and says so in its outcome.
  public mutating func look() -> String? {
    guard machine.stop.reason == nil, let now = exitsWhileBlocked() else {
      (last, idle) = ([], nil)
      return nil
    }
    defer { last = now }
    guard now == last else { return nil }
    let ownSources = ownSources()
    if now != examined || ownSources != examinedSources { examine(now, ownSources) }
    guard !hasTold, let idle, ContinuousClock.now - idle.since >= Self.patience else { return nil }
    hasTold = true
    return idle.report.text
  }

  private mutating func examine(_ now: [UInt64], _ ownSources: [String]) {
    examinedSources = ownSources
    guard let state = try? machine.capture() else { return }
    examined = now
    guard let report = IdleReport(state, ownSources: ownSources, externalSources: externalSources) else {
      idle = nil
      return
    }
    if report.isForGood {
      machine.end(.halted(report.text))
    } else {
      idle = report.sources.isEmpty ? (idle?.since ?? .now, report) : nil
    }
  }

  /// How often each vCPU has left the guest; nil where one of them does not wait in KVM.
  private func exitsWhileBlocked() -> [UInt64]? {
    var counts: [UInt64] = []
    for file in files {
      guard let now = try? file.read(), now["blocking"] == 1, let exits = now["exits"] else { return nil }
      counts.append(exits)
    }
    return counts
  }
}
