public import ReferenceModel

/// What an exploration has met: which operations with which answers, and which operation after which.
public struct Coverage: Sendable {
  private var counts: [Int]
  private var pairs: [Bool]
  private var rules: [Int]
  private let size = OperationKind.all.count

  /// Nothing yet.
  public init() {
    counts = Array(repeating: 0, count: OperationKind.all.count * Self.answerNames.count)
    pairs = Array(repeating: false, count: OperationKind.all.count * OperationKind.all.count)
    rules = Array(repeating: 0, count: ModelRule.allCases.count)
  }

  /// Notes which rules of the model a history has met.
  mutating func note(_ met: ModelRuleSet) {
    for (number, rule) in ModelRule.allCases.enumerated() where met.contains(rule) { rules[number] += 1 }
  }

  /// Notes a step.
  mutating func note(_ operation: Int, after previous: Int?, _ answer: StepAnswer) {
    let kind =
      switch answer {
      case .done: 0
      case .refused: 1
      case .delivery(.delivered): 2
      case .delivery(.coalesced): 3
      case .delivery(.ignored): 4
      case .value, .taken: 5
      case .entryRefused: 6
      case .halts: 7
      }
    counts[operation * Self.answerNames.count + kind] += 1
    if let previous { pairs[previous * size + operation] = true }
  }

  /// Adds what another has met.
  mutating func add(_ other: Coverage) {
    for index in counts.indices { counts[index] += other.counts[index] }
    for index in rules.indices { rules[index] += other.rules[index] }
    for index in pairs.indices where other.pairs[index] { pairs[index] = true }
  }

  /// How many different pairs of operations in a row were met.
  public var pairCount: Int { pairs.count { $0 } }

  /// How many different pairs of operations there are.
  public var possiblePairCount: Int { pairs.count }

  /// How many histories have met each rule of the model.
  public var rulesMet: [(rule: ModelRule, histories: Int)] {
    ModelRule.allCases.enumerated().map { ($1, rules[$0]) }
  }

  /// The rules of the model that no history has met.
  public var rulesUnmet: [ModelRule] { rulesMet.filter { $0.histories == 0 }.map(\.rule) }

  /// The operations that were not met after each operation; none for one that was met after all.
  public var missingPairs: [(first: String, then: [String])] {
    OperationKind.all.enumerated().compactMap { number, kind in
      let missing = OperationKind.all.indices.filter { !pairs[number * size + $0] }.map { OperationKind.all[$0].name }
      return missing.isEmpty ? nil : (kind.name, missing)
    }
  }

  private static let answerNames = [
    "done", "refused", "delivered", "coalesced", "ignored", "value", "entryRefused", "halts",
  ]

  /// How often each operation was done, with which answers: `done`, `refused` by KVM, `delivered`, `coalesced`, `ignored`,
  /// `value`, `entryRefused` by the processor, and `halts`. Operations that were never done are there with nothing.
  public var operations: [(name: String, answers: [(name: String, count: Int)])] {
    let names = Self.answerNames
    return OperationKind.all.enumerated().map { number, kind in
      (kind.name, names.indices.map { (names[$0], counts[number * names.count + $0]) }.filter { $0.1 > 0 })
    }
  }
}
