import Exploration
import ReferenceModel
import Reports

/// What an exploration has come to as a document: `lapwing.exploration/1`, whose keys are these properties' names.
struct ExplorationReport: Encodable {
  private let schema = "lapwing.exploration/1"
  private let origin = ReportOrigin.current
  /// A text, since numbers of JSON that are as large are not read exactly everywhere.
  private let seed: String
  private let subject: String
  private let milliseconds: Int64
  private let histories: Int
  private let operations: Int
  private let omitted: [Omission]
  private let answers: [[String: Count]]
  private let rules: [Rule]
  private let pairs: Pairs
  private let concurrent: Concurrent
  private let findings: [Finding]

  private struct Omission: Encodable {
    var operation: String
    var reason: String
  }

  /// A member of an operation's answers: its name, or how often there was one.
  private enum Count: Encodable {
    case name(String)
    case number(Int)

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .name(let name): try container.encode(name)
      case .number(let number): try container.encode(number)
      }
    }
  }

  private struct Rule: Encodable {
    var rule: String
    var source: String
    var histories: Int
  }

  private struct Pairs: Encodable {
    var met: Int
    var possible: Int
    var missing: [Missing]

    struct Missing: Encodable {
      var first: String
      var then: [String]
    }
  }

  private struct Concurrent: Encodable {
    var steps: Int
    var overlapping: Int
    var open: Int
    var pieces: Int
    var cutOff: Int
  }

  private struct Finding: Encodable {
    var signature: String
    var histories: Int
    var originalSteps: Int
    var shown: Int
    var repetitions: Int
    var steps: [String]
    var mismatches: [Mismatch]

    struct Mismatch: Encodable {
      var place: String
      var expected: String
      var seen: String
    }
  }

  init(
    _ result: Explorer.Result, seed: UInt64, subject: String, duration: Duration,
    omitted: [(name: String, reason: String)]
  ) {
    let coverage = result.coverage
    self.seed = String(seed)
    self.subject = subject
    milliseconds = Int64(duration / .milliseconds(1))
    histories = result.histories
    operations = result.operations
    self.omitted = omitted.map { Omission(operation: $0.name, reason: $0.reason) }
    answers = coverage.operations.map { operation in
      operation.answers.reduce(into: ["operation": .name(operation.name)]) { $0[$1.name] = .number($1.count) }
    }
    rules = coverage.rulesMet.map { Rule(rule: $0.rule.name, source: $0.rule.source, histories: $0.histories) }
    pairs = Pairs(
      met: coverage.pairCount, possible: coverage.possiblePairCount,
      missing: coverage.missingPairs.map { Pairs.Missing(first: $0.first, then: $0.then) })
    let orders = result.orders
    concurrent = Concurrent(
      steps: orders.steps, overlapping: orders.overlapping, open: orders.open, pieces: orders.pieces,
      cutOff: orders.cutOff)
    findings = result.findings.map { finding, count in
      Finding(
        signature: finding.signature, histories: count, originalSteps: finding.originalSteps, shown: finding.rate.shown,
        repetitions: finding.rate.of, steps: finding.history.steps.map(\.text),
        mismatches: finding.mismatches.map {
          Finding.Mismatch(place: $0.place, expected: $0.expected, seen: $0.seen)
        })
    }
  }
}
