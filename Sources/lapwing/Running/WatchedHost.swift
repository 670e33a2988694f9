import Evidence
import KVM
import Reports
import Support
import Watch

/// This host, whose machines are watched.
struct WatchedHost {
  private let finder: MachineFinder

  /// - Throws: `Failure` where debugfs is missing or forbidden.
  init() throws(Failure) {
    do throws(TraceUnavailable) {
      finder = MachineFinder(try DebugFileSystem())
    } catch {
      throw Failure("machines cannot be found: \(error)", .hostCannot)
    }
  }

  /// Whether a machine's threads can be found.
  private func canBeSeen(_ machine: ForeignMachine) -> Bool { HostProcesses().exists(machine.process) }

  /// Lists the machines, after they were watched for a moment.
  func list(for length: Duration, _ format: ReportFormat, allThreads: Bool) throws(Failure) -> ExitStatus {
    let signals = InterruptSignals()
    let machines = finder.all()
    var reports: [WatchReport] = []
    // Of a machine whose threads cannot be found nothing would be seen otherwise.
    let allThreads = allThreads || !machines.allSatisfy(canBeSeen)
    if !machines.isEmpty, let watcher = try watcher(of: machines, allThreads: allThreads) {
      defer { watcher.close() }
      let pulse = try WatchPulse(signals)
      let end = ContinuousClock.now + length
      while ContinuousClock.now < end, !signals.isPending {
        pulse.wait(until: end)
        watcher.poll()
      }
      let context = WatchReport.Context(watcher, apicv: HostSurvey.take()[.apicv], recordsAllThreads: allThreads)
      reports = watcher.interval(isLast: true).filter { !$0.hasEnded }.map { WatchReport($0, context) }
    }
    if let signal = signals.release() { return ExitStatus(signal: signal) }
    try show(MachineListReport(reports), format) { $0.text(StandardOutput.style) }
    return .success
  }

  /// Begins to watch a machine.
  ///
  /// - Throws: `Failure` where there is no such machine, or nothing can be recorded.
  func session(_ selection: MachineSelection, allThreads: Bool) throws(Failure) -> WatchSession {
    let machine: ForeignMachine
    do throws(MachineMissing) {
      machine = try selection.machine(among: finder.all())
    } catch {
      throw Failure(error)
    }
    guard allThreads || canBeSeen(machine) else {
      throw Failure(
        "process \(machine.process) is not in this PID namespace, so its threads cannot be found; --all-threads does without",
        .hostCannot)
    }
    let signals = InterruptSignals()
    guard let watcher = try watcher(of: [machine], allThreads: allThreads) else {
      throw Failure("the machine of process \(machine.process) has ended", .hostCannot)
    }
    return WatchSession(
      watcher: watcher, signals: signals,
      context: WatchReport.Context(watcher, apicv: HostSurvey.take()[.apicv], recordsAllThreads: allThreads))
  }

  /// - Returns: nil where all machines have ended meanwhile.
  private func watcher(of machines: [ForeignMachine], allThreads: Bool) throws(Failure) -> Watcher? {
    do throws(TraceUnavailable) {
      return try Watcher(machines, finder, allThreads: allThreads)
    } catch {
      guard machines.contains(where: finder.isThere) else { return nil }
      throw Failure("machines cannot be watched: \(error)", .hostCannot)
    }
  }
}

extension Failure {
  /// There is no machine to watch.
  init(_ missing: MachineMissing) {
    let remedy: TextLine = "'lapwing watch' lists the machines"
    switch missing {
    case .noProcess(let id): self.init("there is no process \(id); \(remedy)", .hostCannot)
    case .noMachine(let id, let name):
      self.init("process \(id) (\(name ?? "unknown")) runs no virtual machine; \(remedy)", .hostCannot)
    case .noDescriptor(let descriptor, let those):
      self.init(
        "no machine has the descriptor \(descriptor) there; there are \(those.joined(separator: ", "))", .hostCannot)
    case .several(let those):
      self.init("the process runs several machines; name one of \(those.joined(separator: ", "))", .usage)
    }
  }
}
