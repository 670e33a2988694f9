import ArgumentParser
import Reports
import Support

/// `lapwing report`: what is done with reports that were written.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Work on reports of the suite that were written before.",
    subcommands: [ReportMergeCommand.self])
}

/// `lapwing report merge`: one report of a suite that was run in parts.
struct ReportMergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Make one report of those of a suite's parts.",
    discussion: """
      FILE is what 'lapwing test --shard I/N --format json' wrote, on hosts of the same kernel and back end. Exit status: 0 \
      where the whole suite succeeded; 1 where it did not; 65 for files that are no such reports, or of no one suite.
      """)

  @Argument(help: "The parts' reports, as JSON.")
  var files: [String]

  @OptionGroup(title: "Report")
  var report: SuiteReportOptions

  @OptionGroup var confinement: ConfinementOptions

  func validate() throws {
    guard report.format != .markdown else { throw ValidationError("--format takes human, ktap, junit or json here") }
  }

  func run() throws {
    try perform { () throws(Failure) in
      try confinement.enter {
        $0.read(files)
        $0.write(report.output)
      }
      try refuseOneFile(for: files.map { ("a report", $0) }, and: ("--output", report.output))
      let destination = try report.destination()
      var parts: [(name: String, report: SuiteReport)] = []
      for file in files {
        parts.append((file, try readDocument(SuiteReport.self, schema: SuiteReport.schema, from: file)))
      }
      let merged: SuiteReport
      do throws(UnmergeableReports) {
        merged = try SuiteReport(merging: parts)
      } catch {
        throw Failure("\(error)", .badFile)
      }
      try report.write(merged, to: destination)
      return merged.success ? .success : .failed
    }
  }
}
