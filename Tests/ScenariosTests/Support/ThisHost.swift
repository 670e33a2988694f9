import Glibc
import KVM

@testable import Scenarios

/// The host that the tests run on.
enum ThisHost {
  /// Whether guests run here.
  static let hasKVM = (try? KVM.open()) != nil

  /// Every case there is.
  static let cases = ScenarioCase.all(of: Scenario.catalogue)

  /// What runs a case here; the host is tried for what the scenarios need once.
  static var runner: ScenarioRunner {
    get throws { try prepared.get() }
  }

  /// Runs a case through the suite, as the program does.
  static func run(_ testCase: ScenarioCase, sabotage: SabotageKind? = nil) throws -> ScenarioResult {
    let outcome = try SuiteRunner(runner, sabotage: sabotage).run([testCase])
    guard let result = outcome.results.first?.last else { throw ScenarioFailure("\(testCase.id) was not run") }
    return result
  }

  private static let prepared: Result<ScenarioRunner, any Error> = Result {
    let system = try KVM.open()
    var host = HostKnowledge(survey: HostSurvey.take())
    host.probe(for: Scenario.catalogue, on: system)
    return ScenarioRunner(system: system, host: host)
  }
}
