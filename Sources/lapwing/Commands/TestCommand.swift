import ArgumentParser
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
      let cases = ScenarioCase.all(of: Scenario.catalogue).filter { item in
        filters.isEmpty || filters.contains(where: item.id.hasPrefix)
      }
      var host = HostKnowledge(survey: HostSurvey.take())
      host.probe(for: cases.lazy.map(\.scenario), on: system)
      let runner = ScenarioRunner(system: system, host: host)
      var failed = 0
      for item in cases {
        let result = runner.run(item, isSabotaged: sabotage)
        try? StandardOutput.print("\(result.id): \(result.verdict) \(result.duration)")
        if case .failed = result.verdict { failed += 1 }
      }
      return failed == 0 ? .success : .failed
    }
  }
}
