import APIC
public import Support

extension SuiteReport {
  /// How many of the slowest cases are named.
  private static let slowestCount = 5
  /// The summary for a person: failures in full, skips by reason, the slowest cases, totals.
  public func text(_ style: Style = Style()) -> String {
    var lines: [TextLine] = []
    for item in cases where item.verdict == .failed { lines += item.failureLines(style) + [""] }
    for item in cases {
      guard let trace = item.trace else { continue }
      lines += [style.bold("\(item.id): how its interrupts got there")] + trace.lines(style) + [""]
    }
    let expected = cases.filter { $0.verdict == .expectedFailure }
    if !expected.isEmpty {
      lines += [style.bold("failed as expected")] + expected.map { "  \($0.id): \($0.reason ?? "")" } + [""]
    }
    if !skips.isEmpty { lines += [style.bold("skipped")] + skips.map(line) + [""] }
    if cases.count > Self.slowestCount { lines += [style.bold("slowest")] + slowest.lines() + [""] }
    if !notRun.isEmpty {
      lines += [style.yellow("not run: ") + "\(Units.count(notRun.count, "case")), from \(notRun[0]) on", ""]
    }
    lines.append(summary(style))
    if let regressions { lines += [""] + regressions.lines(style) }
    return lines.text
  }

  private func line(_ skip: Skip) -> TextLine {
    "  \(TextLine("\(skip.ids.count)").padded(to: 3, left: true))  \(skip.reason): \(skip.named)"
  }

  private var slowest: Table {
    var table = Table()
    for item in cases.sorted(by: { $0.duration > $1.duration }).prefix(Self.slowestCount) {
      table.add(["\(item.id)", "\(Units.time(item.duration))"])
    }
    return table
  }

  private func summary(_ style: Style) -> TextLine {
    var parts: [TextLine] = ["\(totals.passed) passed"]
    parts.append(totals.failed > 0 ? style.red("\(totals.failed) FAILED") : "0 failed")
    if let expected = totals.expectedFailures { parts.append("\(expected) failed as expected") }
    parts.append("\(totals.skipped) skipped")
    if totals.notRun > 0 { parts.append(style.yellow("\(totals.notRun) not run")) }
    let planned = options.rounds * (cases.count + notRun.count)
    let runs = options.rounds > 1 ? ", \(totals.runs) of \(Units.count(planned, "run"))" : ""
    let kind = sabotage.map { "sabotage, where to pass is to fail for want of the \($0): " } ?? ""
    return "\(kind)\(parts.joined(separator: ", ")) of \(Units.count(cases.count + notRun.count, "case"))\(runs) in "
      + "\(Units.time(duration))\(isInterrupted ? "; interrupted" : "")"
  }
}

extension SuiteReport.Skip {
  /// How many ids are named beside a reason.
  private static let limit = 4

  /// The first of the cases, and how many more there are.
  var named: TextLine {
    let more = ids.count > Self.limit ? " and \(ids.count - Self.limit) more" : ""
    return "\(ids.prefix(Self.limit).lines.joined(separator: ", "))\(more)"
  }
}

extension CaseReport {
  /// A line for a person who watches.
  public func line(_ style: Style = Style()) -> TextLine {
    switch verdict {
    case .passed:
      "\(style.green("ok    "))  \(id)  "
        + style.dim(([Units.time(duration)] + checkCount + paths).lines.joined(separator: ", "))
    case .failed: "\(style.red("FAILED"))  \(id): \(reason ?? "")"
    case .skipped: "\(style.yellow("skip  "))  \(id): \(reason ?? "")"
    case .expectedFailure: "\(style.yellow("xfail "))  \(id): \(reason ?? "")"
    }
  }

  /// How many checks a unit test made, for a person.
  private var checkCount: [String] { checks.map { $0.isEmpty ? [] : [Units.count($0.count, "check")] } ?? [] }

  /// A failure in full.
  func failureLines(_ style: Style) -> [TextLine] {
    var lines: [TextLine] = [style.red("FAILED") + " " + style.bold("\(id)") + ": \(title)", "  \(reason ?? "")"]
    if runs > 1 {
      lines.append("  \(failedRuns) of \(Units.count(runs, "run")) failed; this is run \(failure?.round ?? 1)")
    }
    for check in checks ?? [] where check.verdict == .failed { lines.append("  " + check.line) }
    if let failure { lines += failure.lines(style).map { "  " + $0 } }
    if !exercises.isEmpty { lines.append("  exercises: " + exercises.lines.joined(separator: ", ")) }
    return lines + ["  alone: " + style.bold("\(command)")]
  }
}

extension CaseReport.Check {
  /// The check as the suite prints it.
  var line: TextLine {
    switch verdict {
    case .passed: "PASS: \(text)"
    case .failed: "FAIL: \(text)"
    case .skipped: "SKIP: \(text)"
    case .expectedFailure: "XFAIL: \(text)"
    }
  }
}

extension FailureReport {
  /// The counters that tell how interrupts got into the guest, and why it was left.
  private static let importantCounters = RunReport.importantStatistics + ["req_event", "blocking"]

  /// How many of the last lines that a unit test printed are shown.
  private static let shownLines = 8

  /// What was seen, for a person: interrupts, counters, registers and local APICs.
  func lines(_ style: Style) -> [TextLine] {
    var lines: [TextLine] = []
    if let console {
      lines += [style.bold("it printed, at the end")]
      lines += console.linesOfText.filter { !$0.isEmpty }.suffix(Self.shownLines).map { "  | \($0)" }
    } else {
      lines.append(style.bold("interrupts taken") + ": " + interruptText)
    }
    if !counters.isEmpty { lines += [style.bold("statistics")] + counterTable.lines() }
    for vcpu in vcpus { lines += vcpu.lines(style) }
    return lines
  }

  private var interruptText: TextLine {
    guard !interrupts.isEmpty else { return "none" }
    return interrupts.map { "vCPU \($0.vcpu) \(hex($0.vector, digits: 2)) x \($0.count)" }.joined(separator: ", ")
  }

  private var counterTable: Table {
    let known = Set(counters.flatMap(\.keys))
    var table = Table()
    table.add([""] + counters.indices.map { "vCPU \($0)" })
    for name in Self.importantCounters where known.contains(name) {
      table.add(["\(name)"] + counters.map { "\($0[name] ?? 0)" })
    }
    return table
  }
}
