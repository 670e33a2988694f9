import ArgumentParser
import Confinement
import KVM
import Reports
import Scenarios

/// `lapwing doctor`: what this host can do, and why not.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what this host's KVM can do, and what to do about what is missing.")

  @Option(help: "human or json.")
  var format = ReportFormat.human

  @Flag(name: .shortAndLong, help: "Show capabilities and module parameters too; JSON always has them.")
  var all = false

  @Flag(help: "Run a small guest for each thing that no capability tells of, and say what it means for guests.")
  var probe = false

  func run() throws {
    try perform { () throws(Failure) in
      let survey = HostSurvey.take()
      var report = DoctorReport(survey)
      report.origin = .current
      report.confinement = ConfinementReport(.ofThisKernel())
      let signal = probe && report.canRun ? try tryTraits(survey, &report) : nil
      try show(report, format) { $0.text(StandardOutput.style, everything: all) }
      if let signal { return ExitStatus(signal: signal) }
      return report.canRun ? .success : .hostCannot
    }
  }

  /// Tries this host for every trait, until a signal asks the program to end.
  ///
  /// - Returns: The signal; nil where all was tried.
  private func tryTraits(_ survey: HostSurvey, _ report: inout DoctorReport) throws(Failure) -> Int32? {
    let system = try openKVM(forManyMachines: true)
    let signals = InterruptSignals()
    report.add(TraitTrial.all(on: system, survey, isInterrupted: { signals.isPending }))
    return signals.release()
  }
}
