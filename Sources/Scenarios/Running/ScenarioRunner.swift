import APIC
import BuiltInGuests
public import Evidence
public import KVM
public import Support
import VMM

/// Runs cases, one at a time, each on a machine of its own.
public struct ScenarioRunner: Sendable {
  private let system: System
  private let host: HostKnowledge
  private let inhibitedHost: HostKnowledge
  private let tracing: TracePool?
  /// How long anything in a scenario may take to come about.
  public var patience = Duration.seconds(10)
  /// How long it may take in a sabotaged scenario from its stimulus on: there is nothing to wait for.
  public var sabotagedPatience = Duration.milliseconds(400)
  /// What this host must have: a case that it cannot run for want of one of these fails.
  public var requirements: Set<Need> = []

  /// A runner on this host.
  ///
  /// - Parameters:
  ///   - system: its KVM.
  ///   - host: what is known of it.
  ///   - tracing: where trace instances are to be had; nil for evidence of counters alone.
  public init(system: System, host: HostKnowledge, tracing: TracePool? = nil) {
    self.system = system
    self.host = host
    inhibitedHost = host.withoutAPICv
    self.tracing = tracing
  }

  /// Runs a case.
  ///
  /// - Parameters:
  ///   - testCase: the case.
  ///   - isSabotaged: withhold its stimulus.
  ///   - control: ends it from another thread.
  public func run(
    _ testCase: ScenarioCase, isSabotaged: Bool = false, control: CaseControl = CaseControl()
  ) -> ScenarioResult {
    let start = ContinuousClock.now
    let host = host(for: testCase)
    var result = ScenarioResult(testCase)
    if let reason = host.reasonToFail(testCase.scenario, requirements) {
      result.verdict = .failed("it cannot be run here, and is required to: \(reason)")
    } else if let reason = host.reasonToSkip(testCase.scenario) {
      result.verdict = .skipped(reason)
    } else if isSabotaged, case .impossible(let reason) = testCase.scenario.sabotage {
      result.verdict = .skipped("nothing to sabotage: \(reason)")
    } else {
      play(testCase, isSabotaged: isSabotaged, control: control, into: &result)
    }
    result.duration = .now - start
    return result
  }

  private func host(for testCase: ScenarioCase) -> HostKnowledge { testCase.isAPICvInhibited ? inhibitedHost : host }

  private func play(
    _ testCase: ScenarioCase, isSabotaged: Bool, control: CaseControl, into result: inout ScenarioResult
  ) {
    do {
      let machine = try buildMachine(testCase)
      let test = try TestContext(
        machine: machine, mode: testCase.mode, hasAPICv: host(for: testCase).survey[.apicv].state == .available,
        isSabotaged: isSabotaged, patience: patience, sabotagedPatience: sabotagedPatience)
      let recorder = Recorder(tracing, leavingOut: TestContext.fenceVector)
      test.record(with: recorder)
      let isAPICvInhibited = testCase.isAPICvInhibited
      try test.start(control: control, hooks: testCase.scenario.hooks) { vm throws(KVMError) in
        if isAPICvInhibited { try ParkedVCPU.add(to: vm) }
      }
      do {
        try prepare(test, testCase.scenario)
        recorder.mark(machine, test.statistics, isStimulus: false)
        try testCase.scenario.body(test)
        result.verdict = .passed
      } catch {
        result.verdict = .failed("\(error)")
        result.cause = test.machine.stop.reason != nil ? .machineEnded : error is ScenarioFailure ? .expectation : .call
      }
      result.evidence = recorder.finish(test.machine, test.statistics, threads: test.threadIDs)
      result.demand(testCase.scenario.path, host(for: testCase))
      if testCase.isAPICvInhibited { result.demandInhibition() }
      test.finish()
      result.hasReachedStimulus = test.hasReachedStimulus
      result.figures = test.figures
      if case .failed = result.verdict { result.scene = FailureScene(test) }
    } catch {
      result.verdict = .failed("the machine could not be built: \(error)")
    }
  }

  private func buildMachine(_ testCase: ScenarioCase) throws -> Machine {
    guard let agent = BuiltInGuest.named("agent") else { throw ScenarioFailure("the guest 'agent' is missing") }
    var configuration = testCase.scenario.configuration
    configuration.apic = testCase.mode == .x2APIC ? .x2APIC : .xAPIC
    configuration.arguments = [
      testCase.mode == .x2APIC ? "x2apic" : "xapic",
      testCase.scenario.preparation == .ready ? "start" : "",
      testCase.scenario.preparation == .untouched ? "untouched" : "",
    ].filter { !$0.isEmpty }.joined(separator: " ")
    let hooks = testCase.isAPICvInhibited ? testCase.scenario.hooks.withParkedVCPU : testCase.scenario.hooks
    return try Machine(configuration, image: agent.image, on: system, console: Console(), hooks: hooks)
  }

  private func prepare(_ test: TestContext, _ scenario: Scenario) throws {
    let vcpus = scenario.preparation == .ready ? test.vcpus : [test[vcpu: 0]]
    for vcpu in vcpus {
      try test.until("the agent has started on vCPU \(vcpu.index)") { try vcpu.starts() > 0 }
    }
    guard scenario.preparation != .untouched else { return }
    for vcpu in vcpus { try vcpu.enableInterrupts() }
  }
}
