import Support

/// Why reports are not those of one suite's parts.
public struct UnmergeableReports: Error, CustomStringConvertible {
  /// What is wrong, with the names of the files.
  public let description: String
}

extension SuiteReport {
  /// One report of a suite that was run in parts, as with `--shard`.
  ///
  /// Cases keep the order of the parts. It took as long as the longest of them.
  ///
  /// - Parameter parts: The parts, with what they are called; at least one.
  /// - Throws: `UnmergeableReports` where two have a case in common, or were run on different kernels, back ends or otherwise
  ///   than the others.
  public init(merging parts: [(name: String, report: SuiteReport)]) throws(UnmergeableReports) {
    guard let first = parts.first else { throw UnmergeableReports(description: "there is no report to merge") }
    var owners: [String: String] = [:]
    for part in parts {
      func differ(_ what: String) -> UnmergeableReports {
        UnmergeableReports(description: "'\(part.name)' and '\(first.name)' \(what)")
      }
      guard part.report.program == first.report.program else { throw differ("are of different commands") }
      guard part.report.host == first.report.host else { throw differ("are of different kernels or back ends") }
      guard part.report.sabotage == first.report.sabotage else { throw differ("were sabotaged differently") }
      guard part.report.options.rounds == first.report.options.rounds else {
        throw differ("have different numbers of runs a case")
      }
      for id in part.report.cases.map(\.id) + part.report.notRun {
        if let owner = owners.updateValue(part.name, forKey: id) {
          throw UnmergeableReports(
            description: "'\(owner)' and '\(part.name)' both have the case '\(Escape.shown(id, atMost: 80))': "
              + "they are no parts of one suite")
        }
      }
    }
    var options = first.report.options
    options.shard = nil
    options.filters = parts.flatMap(\.report.options.filters).uniqued
    options.requirements = parts.flatMap(\.report.options.requirements).uniqued
    self.init(
      parts.flatMap(\.report.cases), program: first.report.program, notRun: parts.flatMap(\.report.notRun),
      isInterrupted: parts.contains { $0.report.isInterrupted }, host: first.report.host, options: options,
      sabotage: first.report.sabotage, duration: parts.map(\.report.duration).max() ?? 0)
  }
}

extension [String] {
  /// Each once, where it stands first.
  fileprivate var uniqued: [String] {
    var seen: Set<String> = []
    return filter { seen.insert($0).inserted }
  }
}
