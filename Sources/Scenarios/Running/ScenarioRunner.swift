public import APIC
import BuiltInGuests
public import Evidence
public import KVM
public import Support
public import VMM

/// Runs cases, one at a time, each on a machine of its own.
public struct ScenarioRunner: Sendable {
  private let system: System
  private let host: HostKnowledge
  private let inhibitedHost: HostKnowledge
  private let tracing: TracePool?
  /// How long anything in a scenario may take to come about.
  public var patience = Duration.seconds(60)
  /// How long it may take in a sabotaged scenario from its stimulus on: there is nothing to wait for.
  public var sabotagedPatience = Duration.milliseconds(400)
  /// What this host must have: a case that it cannot run for want of one of these fails.
  public var requirements: Set<Need> = []

  /// Gets what was recorded of each case, which has entries and exits then; nil for nothing to be kept. A case that is tried
  /// again comes with each of its tries.
  public var keep: (@Sendable (ScenarioCase, MachineRecording) -> Void)?

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
  ///   - sabotage: what is done to it; nil for nothing.
  ///   - control: ends it from another thread.
  public func run(
    _ testCase: ScenarioCase, sabotage: SabotageKind? = nil, control: CaseControl = CaseControl()
  ) -> ScenarioResult {
    let start = ContinuousClock.now
    let host = host(for: testCase)
    var result = ScenarioResult(testCase)
    if let reason = host.reasonToFail(testCase.scenario, requirements) {
      result.verdict = .failed("it cannot be run here, and is required to: \(reason)")
    } else if let reason = host.reasonToSkip(testCase.scenario) {
      result.verdict = .skipped(reason)
    } else if let sabotage, let reason = obstacle(to: sabotage, of: testCase) {
      result.verdict = .skipped("nothing to sabotage: \(reason)")
    } else {
      result = playAgain(testCase, sabotage, control)
    }
    result.duration = .now - start
    return result
  }

  /// Why a case cannot be sabotaged; nil where it can.
  private func obstacle(to sabotage: SabotageKind, of testCase: ScenarioCase) -> String? {
    switch sabotage {
    case .stimulus:
      if case .impossible(let reason) = testCase.scenario.sabotage { reason } else { nil }
    case .path: demandsPosting(testCase) ? nil : "it does not demand that its interrupts are posted on this host"
    }
  }

  private func demandsPosting(_ testCase: ScenarioCase) -> Bool {
    testCase.scenario.path.paths(on: host(for: testCase)) == [.posted]
  }

  /// How often a case is tried whose interrupts are to be posted, where the host's own work leaves it undecided: one tick of
  /// the host's timer at the wrong moment drives the vCPU out, and a single interrupt is delivered at the entry then. What
  /// comes at an entry for any other reason fails at once.
  private static let tries = 3

  private func playAgain(
    _ testCase: ScenarioCase, _ sabotage: SabotageKind?, _ control: CaseControl
  ) -> ScenarioResult {
    var result = ScenarioResult(testCase)
    for number in 1...Self.tries {
      result = ScenarioResult(testCase)
      play(testCase, sabotage, control: control, into: &result)
      if number > 1 { result.figures.append(("tries, the host's own work in the way of those before", "\(number)")) }
      guard result.cause == .hostInTheWay, control.reason == nil else { break }
    }
    return result
  }

  private func host(for testCase: ScenarioCase) -> HostKnowledge { testCase.isAPICvInhibited ? inhibitedHost : host }

  private func play(
    _ testCase: ScenarioCase, _ sabotage: SabotageKind?, control: CaseControl, into result: inout ScenarioResult
  ) {
    do {
      let machine = try buildMachine(testCase)
      let test = try TestContext(
        machine: machine, mode: testCase.mode, hasAPICv: host(for: testCase).survey[.apicv].state == .available,
        sabotage: sabotage, patience: patience, sabotagedPatience: sabotagedPatience)
      let recorder = Recorder(
        tracing, leavingOut: TestContext.fenceVector, withResidency: keep != nil || demandsPosting(testCase),
        deliversVirtually: host(for: testCase).survey[.apicv].isAvailable)
      test.record(with: recorder)
      let isAPICvInhibited = testCase.isAPICvInhibited
      try test.start(control: control, hooks: testCase.scenario.hooks) { vm throws(KVMError) in
        if isAPICvInhibited { try ParkedVCPU.add(to: vm) }
      }
      do {
        try prepare(test, testCase.scenario)
        if demandsPosting(testCase), testCase.scenario.preparation == .ready { try test.warmUp() }
        recorder.mark(machine, test.statistics, isStimulus: false)
        try testCase.scenario.body(test)
        result.verdict = .passed
      } catch {
        result.verdict = .failed("\(error)")
        result.missingTrait = (error as? ScenarioFailure)?.missingTrait
        result.cause = Self.cause(of: error, test.machine.stop.reason)
      }
      result.evidence = recorder.finish(test.machine, test.statistics, threads: test.threadIDs)
      let recording = keep == nil ? nil : recorder.recording(of: test.machine, threads: test.threadIDs)
      result.demand(testCase.scenario.path, host(for: testCase))
      if testCase.isAPICvInhibited { result.demandInhibition() }
      test.finish()
      if let keep, let recording { keep(testCase, recording) }
      result.hasReachedStimulus = test.hasReachedStimulus
      result.figures = test.figures
      if case .failed = result.verdict { result.scene = FailureScene(test) }
    } catch {
      result.verdict = .failed("the machine could not be built: \(error)")
      if MachineError.isShortage(error) { result.cause = .noRoom }
    }
  }

  private static func cause(of error: any Error, _ ending: Outcome?) -> ScenarioResult.Cause {
    if MachineError.isShortage(error) { return .noRoom }
    switch ending {
    case .runFailed(let error, _) where error.isShortage: return .noRoom
    case .some: return .machineEnded
    case nil: return error is ScenarioFailure ? .expectation : .call
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

/// What was there to be seen when a case failed.
public struct FailureScene: Sendable {
  /// The interrupts that a vCPU took through one vector, as the guest counts them.
  public struct InterruptCount: Hashable, Sendable {
    /// The vCPU's index.
    public let vcpu: Int
    /// The vector.
    public let vector: Vector
    /// How many.
    public let count: Int
  }

  /// The interrupts that the guest recorded.
  public let interrupts: [InterruptCount]
  /// KVM's statistics of each vCPU, by name.
  public let counters: [[String: UInt64]]
  /// The registers and the local APIC of each vCPU.
  public let vcpus: [VCPUReport]

  /// The scene on a machine whose vCPUs no longer run. What KVM does not give is left out: the failure counts for more.
  init(_ test: TestContext) {
    let machine = test.machine
    interrupts = machine.vcpus.indices.flatMap { vcpu in
      (0...UInt8.max).compactMap { number in
        let vector = Vector(rawValue: number)
        let count = machine.recorded(vector, on: vcpu)
        return count > 0 && vector != TestContext.fenceVector
          ? InterruptCount(vcpu: vcpu, vector: vector, count: count) : nil
      }
    }
    counters = test.statistics.map { file in
      guard let statistics = try? file.read() else { return [:] }
      return Dictionary(statistics.names.map { ($0, statistics[$0] ?? 0) }) { first, _ in first }
    }
    vcpus = (try? machine.reports()) ?? []
  }
}
