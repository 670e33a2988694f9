import ArgumentParser
import Reports
import Support
import SystemPackage

/// A file that `lapwing bench --format json` wrote, to compare with.
struct EarlierRun: ExpressibleByArgument {
  let name: String

  init(argument: String) { name = argument }

  static var defaultCompletionKind: CompletionKind { .file(extensions: ["json"]) }

  /// The report in the file.
  func report() throws(Failure) -> BenchReport {
    do {
      return try BenchReport(json: try HostFile.read(FilePath(name), limit: BenchReport.sizeLimit, acceptsPipes: true))
    } catch let error as JSONDocument.Unreadable {
      throw Failure("cannot compare with '\(name)', which is no report of 'lapwing bench': \(error)", .badInput)
    } catch {
      throw Failure("cannot read the earlier run '\(name)': \(error)", .badInput)
    }
  }
}
