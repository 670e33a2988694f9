import Exploration
import ReferenceModel

/// What an exploration has come to, for a person.
struct ExplorationText {
  private let result: Explorer.Result
  private let duration: Duration
  private let deviations: Deviations

  init(_ result: Explorer.Result, duration: Duration, deviations: Deviations) {
    self.result = result
    self.duration = duration
    self.deviations = deviations
  }

  /// The report.
  var text: String {
    var lines = result.findings.flatMap { describe($0.finding, count: $0.count) }
    lines.append("operations")
    for operation in result.coverage.operations {
      let answers = operation.answers.map { "\($0.name) \($0.count)" }
      lines.append("  \(operation.name.padded(18)) " + (answers.isEmpty ? "never" : answers.joined(separator: ", ")))
    }
    let unmet = result.coverage.rulesUnmet.map(\.name)
    lines.append("rules of the model that were not met: \(unmet.isEmpty ? "none" : unmet.joined(separator: ", "))")
    lines += orderLines
    let seconds = max(duration / .seconds(1), 0.001)
    let rate = Int(Double(result.operations) / seconds)
    let found =
      switch result.findings.count {
      case 0: "no difference"
      case 1: "1 DIFFERENCE"
      default: "\(result.findings.count) DIFFERENCES"
      }
    lines.append(
      "\(result.operations) operations in \(result.histories) histories, \(rate) a second, "
        + "\(callText); \(result.coverage.metText); \(found)")
    return lines.joined(separator: "\n")
  }

  /// How much of the time the calls take: no explorer that makes them is faster than they are.
  private var callText: String {
    let part = Double(result.time.calls) / Double(max(1, result.time.whole))
    let microseconds = Double(result.time.calls) / Double(max(1, result.operations)) / 1000
    return "\(Int(part * 100)) % of it in the calls of what is explored, "
      + "\((microseconds * 10).rounded() / 10) µs an operation"
  }

  /// What came of steps of several actors.
  private var orderLines: [String] {
    let orders = result.orders
    guard orders.steps > 0 else { return [] }
    return [
      "\(orders.steps) concurrent steps, in \(orders.overlapping) of which calls overlapped; \(orders.open) left open which "
        + "order it was; \(orders.pieces / orders.steps) pieces tried for each; \(orders.cutOff) searches cut off"
    ]
  }

  private func describe(_ finding: HistoryFinding, count: Int) -> [String] {
    let machine = finding.history.machine
    var lines = [
      "DIFFERENCE at \(finding.signature)",
      "  in \(count) of the histories; \(finding.originalSteps) steps, shrunk to \(finding.history.steps.count); "
        + "shown again in \(finding.rate.shown) of \(finding.rate.of)",
      "  \(machine.vcpus) vCPUs in \(machine.startsInX2APIC ? "x2APIC" : "xAPIC") mode",
    ]
    for (number, step) in finding.history.steps.enumerated() { lines.append("  \(number + 1). \(step.text)") }
    lines += Self.mismatches(finding.mismatches)
    lines.append("  as source:")
    lines += finding.history.source(deviations).map { "    " + $0 }
    return lines
  }

  private static func mismatches(_ mismatches: [StateMismatch]) -> [String] {
    mismatches.map { "  \($0.place): expected \($0.expected), seen \($0.seen)" }
  }

  /// A history step by step, as it went.
  static func table(_ told: [ToldStep]) -> [String] {
    let width = told.map(\.step.count).max() ?? 0
    let answers = max(8, told.map(\.expected.count).max() ?? 0)
    var lines = ["    \("step".padded(width))  \("expected".padded(answers))  seen"]
    for (number, step) in told.enumerated() {
      let place = "\(number + 1).".padded(3)
      lines.append("\(place) \(step.step.padded(width))  \(step.expected.padded(answers))  \(step.seen)")
      lines += step.events.map { "        \($0)" }
      lines += mismatches(step.mismatches)
    }
    lines.append(told.last?.mismatches.isEmpty == false ? "the difference shows" : "no difference")
    return lines
  }
}

extension Coverage {
  /// How much was met, as in `40 of 52 rules, 1607 of 2025 pairs of operations`.
  var metText: String {
    let rules = rulesMet
    return "\(rules.count - rulesUnmet.count) of \(rules.count) rules, "
      + "\(pairCount) of \(possiblePairCount) pairs of operations"
  }
}
