import ArgumentParser
import Reports

/// A file that `lapwing bench --format json` wrote, to compare with.
struct EarlierRun: ExpressibleByArgument {
  let name: String

  init(argument: String) { name = argument }

  static var defaultCompletionKind: CompletionKind { .file(extensions: ["json"]) }

  /// The report in the file.
  func report() throws(Failure) -> BenchReport {
    do {
      let file = InputFile(name: name, noun: "the earlier run", sizeLimit: BenchReport.sizeLimit)
      return try BenchReport(json: try file.contents())
    } catch let failure as Failure {
      throw failure
    } catch let error as BenchReport.Unreadable {
      throw Failure("cannot compare with '\(name)': \(error)", .badInput)
    } catch {
      throw Failure("cannot read the earlier run '\(name)': \(error)", .badInput)
    }
  }
}
