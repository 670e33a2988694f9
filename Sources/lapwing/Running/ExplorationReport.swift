import Exploration
import JSON
import ReferenceModel

/// What an exploration has come to as a document: `lapwing.exploration/1`.
struct ExplorationReport {
  static let schema = "lapwing.exploration/1"

  private let result: Explorer.Result
  private let seed: UInt64
  private let subject: String
  private let duration: Duration
  private let omitted: [(name: String, reason: String)]

  init(
    _ result: Explorer.Result, seed: UInt64, subject: String, duration: Duration,
    omitted: [(name: String, reason: String)]
  ) {
    self.result = result
    self.seed = seed
    self.subject = subject
    self.duration = duration
    self.omitted = omitted
  }

  /// The document, as it is written.
  var text: String { String(decoding: value.text, as: UTF8.self) }

  private var value: JSONValue {
    let coverage = result.coverage
    return .object([
      JSONValue.Member("schema", .string(Self.schema)),
      JSONValue.Member("seed", .string(String(seed))),
      JSONValue.Member("subject", .string(subject)),
      JSONValue.Member("milliseconds", .number(Int64(duration / .milliseconds(1)))),
      JSONValue.Member("histories", .number(Int64(result.histories))),
      JSONValue.Member("operations", .number(Int64(result.operations))),
      JSONValue.Member(
        "omitted",
        .array(omitted.map { Self.object([("operation", .string($0.name)), ("reason", .string($0.reason))]) })),
      JSONValue.Member("answers", .array(coverage.operations.map { Self.object($0.name, $0.answers) })),
      JSONValue.Member(
        "rules",
        .array(
          coverage.rulesMet.map {
            Self.object([
              ("rule", .string($0.rule.name)), ("source", .string($0.rule.source)),
              ("histories", .number(Int64($0.histories))),
            ])
          })),
      JSONValue.Member(
        "pairs",
        Self.object([
          ("met", .number(Int64(coverage.pairCount))), ("possible", .number(Int64(coverage.possiblePairCount))),
          (
            "missing",
            .array(
              coverage.missingPairs.map {
                Self.object([("first", .string($0.first)), ("then", .array($0.then.map { .string($0) }))])
              })
          ),
        ])),
      JSONValue.Member("findings", .array(result.findings.map { Self.object($0.finding, $0.count) })),
    ])
  }

  private static func object(_ operation: String, _ answers: [(name: String, count: Int)]) -> JSONValue {
    object([("operation", .string(operation))] + answers.map { ($0.name, .number(Int64($0.count))) })
  }

  private static func object(_ finding: HistoryFinding, _ count: Int) -> JSONValue {
    object([
      ("signature", .string(finding.signature)),
      ("histories", .number(Int64(count))),
      ("originalSteps", .number(Int64(finding.originalSteps))),
      ("shown", .number(Int64(finding.rate.shown))),
      ("repetitions", .number(Int64(finding.rate.of))),
      ("steps", .array(finding.history.steps.map { .string($0.text) })),
      (
        "mismatches",
        .array(
          finding.mismatches.map {
            object([("place", .string($0.place)), ("expected", .string($0.expected)), ("seen", .string($0.seen))])
          })
      ),
    ])
  }

  private static func object(_ members: [(String, JSONValue)]) -> JSONValue {
    .object(members.map { JSONValue.Member($0.0, $0.1) })
  }
}
