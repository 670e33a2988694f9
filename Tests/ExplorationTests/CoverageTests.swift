import KVM
import ReferenceModel
import Testing

@testable import Exploration

/// What an exploration says that it has met.
struct CoverageTests {
  private static func explore(_ families: Set<OperationFamily>, omitted: Set<String> = []) throws -> Coverage {
    var options = Explorer.Options(seed: 4)
    options.families = families
    options.omitted = omitted
    options.hasGuest = true
    options.steps = 400
    let explorer = Explorer(FaultTests.bench(.none), options)
    for number in 0..<5 { _ = try explorer.explore(number) }
    return explorer.result.coverage
  }

  @Test func `the rules that were met are told from those that were not`() throws {
    let coverage = try Self.explore([.msi])
    let met = coverage.rulesMet.filter { $0.histories > 0 }.map(\.rule)
    #expect(met.contains(.edgeAccepted))
    #expect(coverage.rulesUnmet.contains(.portAccessed))
    #expect(met.count + coverage.rulesUnmet.count == ModelRule.allCases.count)
  }

  @Test func `pairs that were not met are named, and an operation that is left out is in none`() throws {
    let coverage = try Self.explore([.msi, .line], omitted: ["line.irqfd"])
    #expect(coverage.pairCount > 0)
    let missing = Dictionary(uniqueKeysWithValues: coverage.missingPairs.map { ($0.first, $0.then) })
    #expect(missing["line.irqfd"]?.count == OperationKind.all.count)
    #expect(missing["msi.send"]?.contains("msi.send") == false)
    #expect(coverage.pairCount + missing.values.map(\.count).reduce(0, +) == coverage.possiblePairCount)
  }

  @Test func `a step that no vCPU would come back from is left out, and no answer to it is counted`() throws {
    let deviations = Deviations.kvm.with(.taskPriorityShadowed).with(.thresholdStaleAtEntry)
    let bench = HistoryBench(deviations: deviations, clock: FaultTests.clock) {
      ModelSubject(ReferenceMachine.Configuration(vcpus: $0.vcpus, deviations: deviations))
    }
    var options = Explorer.Options(seed: 7)
    options.families = [.guest, .lapic, .mode, .msi, .register]
    options.hasGuest = true
    options.steps = 400
    let explorer = Explorer(bench, options)
    func stalls() -> Int {
      explorer.result.coverage.rulesMet.first { $0.rule == .entryStalls }?.histories ?? 0
    }
    for number in 0..<2000 where stalls() == 0 { #expect(try explorer.explore(number) == nil) }
    let result = explorer.result
    try #require(stalls() > 0)
    let answers = result.coverage.operations.flatMap { $0.answers.map(\.count) }.reduce(0, +)
    #expect(answers == result.operations)
    #expect(result.operations < result.histories * options.steps)
  }

  @Test func `every rule has a name and a source`() {
    #expect(Set(ModelRule.allCases.map(\.name)).count == ModelRule.allCases.count)
    #expect(ModelRule.allCases.count <= 64)
    for rule in ModelRule.allCases { #expect(!rule.source.isEmpty) }
  }
}
