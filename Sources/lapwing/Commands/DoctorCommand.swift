import ArgumentParser
import KVM
import Reports

/// `lapwing doctor`: what this host can do, and why not.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what this host's KVM can do, and what to do about what is missing.")

  @Option(help: "human or json.")
  var format = ReportFormat.human

  @Flag(name: .shortAndLong, help: "Show capabilities and module parameters too; JSON always has them.")
  var all = false

  func run() throws {
    try perform { () throws(Failure) in
      let report = DoctorReport(HostSurvey.take())
      try show(report, format) { $0.text(StandardOutput.style, everything: all) }
      return report.canRun ? .success : .hostCannot
    }
  }
}
