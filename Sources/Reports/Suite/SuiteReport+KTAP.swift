import Support

extension SuiteReport {
  /// The report as KTAP, version 1 (kernel, Documentation/dev-tools/ktap.rst), which kunit.py and KernelCI parse.
  ///
  /// Diagnostics stand before the result that they belong to. The plan counts every case that was selected: one that
  /// was not run has no result, which parsers take for what it is, an error.
  public var ktap: String {
    var lines: [TextLine] = ["KTAP version 1", "1..\(cases.count + notRun.count)"]
    lines.append("# host: Linux \(host.kernel), back end \(host.backEnd ?? "unknown")")
    if let origin { lines.append("# \(origin.line)") }
    if let sabotage { lines.append("# sabotage: ok is a case that fails for want of its \(sabotage)") }
    for (index, item) in cases.enumerated() {
      if item.verdict == .failed { lines += item.failureLines(Style()).map { "# \($0)" } }
      for figure in item.figures { lines.append("# \(item.id): \(figure.name): \(figure.value)") }
      for line in item.evidence { lines.append("# \(item.id): \(line)") }
      lines += item.ktapChecks
      lines.append(item.ktapLine(number: index + 1))
    }
    if !notRun.isEmpty { lines.append("# not run: " + notRun.lines.joined(separator: ", ")) }
    lines += (regressions?.lines(Style()) ?? []).map { "# \($0)" }
    lines.append(
      "# Totals: pass:\(totals.passed) fail:\(totals.failed) xfail:\(totals.expectedFailures ?? 0) xpass:0 skip:\(totals.skipped) error:\(totals.notRun)"
    )
    return lines.text
  }

}

extension CaseReport {
  /// The checks of a unit test as its subtests, indented as the format has it.
  fileprivate var ktapChecks: [TextLine] {
    guard let checks, !checks.isEmpty else { return [] }
    return ["    KTAP version 1", "    1..\(checks.count)"]
      + checks.enumerated().map { number, check -> TextLine in
        // A `#` would begin a directive.
        let text = check.text.replacing("#", with: "%")
        return switch check.verdict {
        case .passed: "    ok \(number + 1) \(text)"
        case .failed: "    not ok \(number + 1) \(text)"
        case .skipped: "    ok \(number + 1) \(text) # SKIP"
        case .expectedFailure: "    ok \(number + 1) \(text) # XFAIL"
        }
      }
  }

  /// A result. A `#` would begin a directive, so ids are freed of it, and reasons are kept on their line.
  fileprivate func ktapLine(number: Int) -> TextLine {
    let id = id.replacing("#", with: "%")
    return switch verdict {
    case .passed: "ok \(number) \(id)"
    case .failed: "not ok \(number) \(id)"
    case .skipped:
      "ok \(number) \(id) # SKIP \(reason ?? "")"
    case .expectedFailure:
      "ok \(number) \(id) # XFAIL \(reason ?? "")"
    }
  }
}
