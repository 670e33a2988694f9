import ArgumentParser
import Reports
import Support
import SystemPackage
import Timelines

/// For whom a report is.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
  /// A person.
  case human
  /// A program; docs/ has the keys.
  case json
}

/// Whether a guest's interrupts are followed, from the command line.
struct TraceOptions: ParsableArguments {
  @Flag(
    help: """
      Show how each interrupt got there: where it came from, and when it was accepted, injected or posted, taken and \
      ended, by KVM's tracepoints and by what the guest writes down, if it does. Needs tracefs.
      """)
  var trace = false
}

/// How the report of a run is printed, from the command line.
struct RunReportOptions: ParsableArguments {
  @Option(help: "human or json.")
  var format = ReportFormat.human

  @Flag(help: "Show every statistic that KVM has; JSON always has them.")
  var stats = false

  @OptionGroup var tracing: TraceOptions

  @Flag(name: .shortAndLong, help: "Show what the guest prints and nothing else.")
  var quiet = false

  /// Whether what the guest writes down is shown while it runs.
  var isWatched: Bool { format == .human && !quiet }
}

/// Who gets the suite's report, and where, from the command line.
struct SuiteReportOptions: ParsableArguments {
  /// What a report of the suite is written as.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    /// For a person.
    case human
    /// For kunit.py, KernelCI and LAVA.
    case ktap
    /// For CI servers.
    case junit
    /// For programs; docs/test-report.md has the keys.
    case json
    /// With `--list`: a page for docs/.
    case markdown
  }

  @Option(help: "human, ktap, junit or json; with --list also markdown.")
  var format = Format.human

  @Option(name: .shortAndLong, help: "A file for the report; a summary goes to standard output then.")
  var output: String?

  /// Opens the destination, so that a report that cannot be written is known before anything runs.
  func destination() throws(Failure) -> ReportDestination {
    guard let output else { return .standardOutput }
    return try ReportDestination(file: output)
  }

  /// Into a file goes the report alone; a person still gets the summary.
  func write(_ suiteReport: SuiteReport, to destination: ReportDestination) throws(Failure) {
    let text =
      switch format {
      case .human, .markdown: suiteReport.text(destination.style)
      case .ktap: suiteReport.ktap
      case .junit: suiteReport.junit
      case .json: try document(suiteReport)
      }
    try destination.write(text, summary: suiteReport.text(StandardOutput.style))
  }
}

/// Where a timeline goes, from the command line.
struct TimelineOptions: ParsableArguments {
  @Option(
    help: """
      Write a timeline of the interrupts into a file while they are recorded: .pftrace for ui.perfetto.dev, .html for a page \
      of its own, .svg for a picture. Needs tracefs. docs/timelines.md.
      """,
    completion: .file(extensions: TimelineFile.Format.allCases.map(\.rawValue)))
  var timeline: String?

  func validate() throws {
    guard let timeline, TimelineFile.Format(fileName: timeline) == nil else { return }
    throw ValidationError("--timeline takes a file whose name ends in .pftrace, .html or .svg")
  }

  /// Begins the file; nil where none was asked for.
  func begin() throws(Failure) -> StartedTimeline? {
    guard let timeline, let format = TimelineFile.Format(fileName: timeline) else { return nil }
    return try StartedTimeline(timeline, format)
  }
}

/// A timeline's file that is being written. Unless it is committed, nothing is left of it.
struct StartedTimeline: Sendable {
  /// What is recorded goes there.
  let file: TimelineFile
  /// Whether cases are on it that are run with APICv and without.
  var comparesAPICv = false
  private let name: String

  fileprivate init(_ name: String, _ format: TimelineFile.Format) throws(Failure) {
    self.name = name
    let path = try FilePath(output: name)
    do throws(OutputFileError) {
      let output = try OutputFile(path, permissions: [.ownerReadWrite, .groupRead, .otherRead])
      do throws(Errno) { file = try TimelineFile(output, format) } catch { throw OutputFileError.failed(error) }
    } catch {
      throw Failure("cannot write '\(name)': \(error)", .badFile)
    }
  }

  /// Gives the file its name.
  func commit() throws(Failure) {
    do {
      try file.commit()
    } catch {
      throw Failure("the timeline cannot be written to '\(name)': \(error)", .badFile)
    }
  }
}
