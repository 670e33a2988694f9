import Reports
import Support
import SystemPackage

/// Where a report goes: standard output, or a file that has all of it or is left as it was.
struct ReportDestination {
  static let standardOutput = ReportDestination()

  /// The file as it was named; nil for standard output.
  private let file: (name: String, output: OutputFile)?

  private init() { file = nil }

  /// A file. What is no regular file, such as a pipe, is written in place.
  init(file name: String) throws(Failure) {
    let path = try FilePath(output: name)
    do throws(OutputFileError) {
      let permissions: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]
      file = (name, try OutputFile(path, permissions: permissions, acceptsStreams: true))
    } catch {
      throw .unwritable("'\(name)'", error)
    }
  }

  var isStandardOutput: Bool { file == nil }

  /// Whether the report has nowhere to go any more: whoever read standard output has gone.
  var isLost: Bool { isStandardOutput && StandardOutput.loss != nil }

  /// Colour is for terminals.
  var style: Style { isStandardOutput ? StandardOutput.style : Style() }

  /// Writes the report: once.
  func write(_ text: String) throws(Failure) {
    guard let file else {
      do throws(Errno) { return try StandardOutput.print(text) } catch { throw .standardOutput(error) }
    }
    do {
      try file.output.write { _ = try $0.writeAll((text + "\n").utf8) }
    } catch {
      throw .unwritable("'\(file.name)'", error)
    }
  }

  /// Writes the report into its file, and what a person reads to standard output; where there is no file, the report
  /// alone to standard output.
  func write(_ text: String, summary: @autoclosure () -> String) throws(Failure) {
    try write(text)
    if !isStandardOutput { try Self.standardOutput.write(summary()) }
  }
}

extension FilePath {
  /// The path of an output that a person names. A slash at its end says that it is a folder, and a path keeps none.
  init(output name: String) throws(Failure) {
    guard !name.hasSuffix("/") else { throw Failure("cannot write '\(name)': \(Errno.isDirectory)", .badFile) }
    self.init(name)
  }
}

/// Refuses one file for two things, of which the second would take the place of the first.
///
/// - Parameters:
///   - first: what is read or written, such as `--output`, and the file's name; nothing is refused without one.
///   - second: what is written, and the file's name.
/// - Throws: `Failure` with 64, before anything is written.
func refuseOneFile(
  for first: (what: TextLine, name: String?), and second: (what: TextLine, name: String?)
) throws(Failure) {
  guard let name = first.name, let other = second.name,
    OutputFile.leadToOneFile(FilePath(name), FilePath(other))
  else { return }
  throw Failure("\(first.what) and \(second.what) name one file, '\(other)'", .usage)
}

/// Refuses an output that would take the place of something that is read, or that the guest writes to.
///
/// - Parameters:
///   - others: what each is, and its file's name; nothing is refused without one.
///   - output: what is written, and the file's name.
/// - Throws: `Failure` with 64, before anything is written.
func refuseOneFile(
  for others: [(what: TextLine, name: String?)], and output: (what: TextLine, name: String?)
) throws(Failure) {
  for other in others { try refuseOneFile(for: other, and: output) }
}

extension Failure {
  /// A file that a person named cannot be written.
  ///
  /// - Parameters:
  ///   - what: the file, for a person.
  ///   - error: an `OutputFileError`, or the `Errno` of a call.
  static func unwritable(_ what: TextLine, _ error: any Error) -> Failure {
    let errno = error as? Errno
    let isShortage = (error as? OutputFileError)?.isShortage ?? errno?.isOfDescriptors ?? false
    let problem = errno?.withAdvice ?? "\(error)"
    return Failure("cannot write \(what): \(problem)", isShortage ? .hostCannot : .badFile)
  }
}
