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
      if probe, report.canRun { report.add(TraitTrial.all(on: try openKVM(forManyMachines: true), survey)) }
      try show(report, format) { $0.text(StandardOutput.style, everything: all) }
      return report.canRun ? .success : .hostCannot
    }
  }
}
