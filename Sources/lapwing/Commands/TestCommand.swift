import ArgumentParser
import Evidence
import KVM
import Scenarios

/// `lapwing test`: the interrupt suite.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run the interrupt suite.")

  @Argument(help: "Only cases whose id begins with one of these.")
  var filters: [String] = []

  @Flag(help: "Withhold each scenario's stimulus: it must then fail.")
  var sabotage = false

  func run() throws {
    try perform { () throws(Failure) in
      let system: System
      do throws(KVMError) { system = try KVM.open() } catch { throw Failure(error) }
      let tracing = TracePool()
      defer { tracing.close() }
      let runner = ScenarioRunner(
        system: system, host: HostKnowledge(survey: HostSurvey.take()), tracing: tracing)
      var failed = 0
      for item in ScenarioCase.all(of: Scenario.catalogue)
      where filters.isEmpty || filters.contains(where: item.id.hasPrefix) {
        let result = runner.run(item, isSabotaged: sabotage)
        StandardOutput.print("\(result.id): \(result.verdict) \(result.duration)")
        for line in result.evidence?.lines ?? [] { StandardOutput.print("  \(line)") }
        if case .failed = result.verdict { failed += 1 }
      }
      return failed == 0 ? .success : .failed
    }
  }
}
