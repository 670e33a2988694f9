import APIC

@testable import Scenarios

/// Cases that nobody plays: an id is all that selecting and sharing out need.
enum MadeUpCases {
  /// A case for each id, in a single mode, so that the case's id is the scenario's.
  static func named(_ ids: String...) -> [ScenarioCase] {
    ScenarioCase.all(of: ids.map { scenario($0, modes: [.x2APIC]) })
  }

  /// A scenario whose scenario does nothing.
  static func scenario(_ id: String, modes: [APICMode] = [.xAPIC, .x2APIC]) -> Scenario {
    Scenario(id, "Something holds", modes: modes, exercises: ["kvm_set_irq"]) { _ in }
  }

  /// A result of a case.
  static func result(
    _ testCase: ScenarioCase, _ verdict: ScenarioResult.Verdict, duration: Duration = .milliseconds(1)
  ) -> ScenarioResult {
    var result = ScenarioResult(testCase)
    result.verdict = verdict
    result.duration = duration
    return result
  }
}
