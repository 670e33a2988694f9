import Reports
import Support
import SystemPackage

/// Prints a report in the format that was asked for.
func show<Report: Encodable>(
  _ report: Report, _ format: ReportFormat, human: (Report) -> String
) throws(Failure) {
  let text = format == .json ? try document(report) : human(report)
  do throws(Errno) { try StandardOutput.print(text) } catch { throw .standardOutput(error) }
}

/// A report as a JSON document.
func document(_ report: some Encodable) throws(Failure) -> String {
  do {
    return try JSONDocument.text(report)
  } catch {
    throw Failure("the report cannot be written as JSON: \(error)", .internalFault)
  }
}

/// The largest file that is read, in bytes, where its kind has no smaller limit.
let inputLimit = 256 << 20

/// All of a file that a person names, or of a pipe.
///
/// - Parameters:
///   - what: what it is, for a person, with a blank behind it.
///   - limit: how large it may be, in bytes.
///   - patience: how long a pipe may take to its end; nil for however long.
/// - Throws: `Failure` for one that cannot be read.
func readInput(
  _ file: String, as what: TextLine = "", limit: Int = inputLimit, within patience: Duration? = nil
) throws(Failure) -> [UInt8] {
  do throws(HostFileError) {
    return try HostFile.read(FilePath(file), limit: limit, acceptsPipes: true, patience: patience)
  } catch {
    throw Failure(error, "\(what)'\(file)'")
  }
}

extension Failure {
  /// A file that a person named cannot be read.
  init(_ error: HostFileError, _ name: TextLine) {
    let status: ExitStatus =
      switch error {
      case .incomplete: .timeLimit
      case _ where error.isShortage: .hostCannot
      default: .badFile
      }
    self.init("cannot read \(name): \(error)", status)
  }
}

/// A report of Lapwing's own that a file holds as JSON.
///
/// - Throws: `Failure` for a file that cannot be read or holds something else.
func readDocument<Report: Decodable>(_ type: Report.Type, schema: String, from file: String) throws(Failure) -> Report {
  let bytes = try readInput(file)
  do {
    return try JSONDocument.read(type, schema: schema, from: bytes)
  } catch {
    throw Failure("'\(file)' is no document \(schema): \(error)", .badFile)
  }
}
