import ArgumentParser
import Support
import SystemPackage
import Timelines

/// What `--timeline` is in each command that has it. It is no group of its own, since each group costs the start of the program
/// some 0.1 ms (docs/performance.md).
enum TimelineArgument {
  static let help: ArgumentHelp = """
    Write a timeline of the interrupts into a file while they are recorded: .pftrace for ui.perfetto.dev, .html for a page \
    of its own, .svg for a picture. Needs tracefs. docs/timelines.md.
    """
  static let completion = CompletionKind.file(extensions: TimelineFile.Format.allCases.map(\.rawValue))

  /// Refuses a name that says nothing of the format.
  static func validate(_ timeline: String?) throws {
    guard let timeline, TimelineFile.Format(fileName: timeline) == nil else { return }
    throw ValidationError("--timeline takes a file whose name ends in .pftrace, .html or .svg")
  }

  /// Begins the file; nil where none was asked for.
  static func begin(_ timeline: String?) throws(Failure) -> StartedTimeline? {
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
      throw .unwritable("'\(name)'", error)
    }
  }

  /// Gives the file its name.
  func commit() throws(Failure) {
    do {
      try file.commit()
    } catch {
      throw .unwritable("the timeline '\(name)'", error)
    }
  }
}
