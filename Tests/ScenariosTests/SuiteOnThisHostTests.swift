import APIC
import Evidence
import KVM
import Testing
import VMM

@testable import Scenarios

/// The suite as `lapwing test` runs it, a test case a case.
@Suite(.serialized, .enabled(if: ThisHost.hasKVM, "there is no usable /dev/kvm"))
struct SuiteOnThisHostTests {
  @Test(arguments: ThisHost.cases.map(\.id))
  func `a scenario comes true`(id: String) throws {
    let result = try ThisHost.run(try #require(ThisHost.cases.first { $0.id == id }))
    switch result.verdict {
    case .passed: break
    case .failed(let message):
      Issue.record("\(message); alone: lapwing test \(id)")
    case .skipped(let reason):
      // The runner's words in the log: a skip must not look like a pass.
      print("skipped: \(id): \(reason)")
      try Test.cancel("\(reason)")
    }
  }

  @Test(arguments: ["ipi.self.x2apic", "ipi.halted.xapic", "msi.halted.x2apic"])
  func `a scenario fails for want of its stimulus`(id: String) throws {
    let testCase = try #require(ThisHost.cases.first { $0.id == id })
    let result = try ThisHost.run(testCase, sabotage: .stimulus)
    #expect(result.verdict == .passed)
    #expect(result.hasReachedStimulus)
  }

  @Test(arguments: ["ipi.halted.xapic", "msi.running.x2apic", "apicv.posted.msi.x2apic"])
  func `a parked vCPU changes nothing else, and what needs APICv is not run beside it`(id: String) throws {
    var testCase = try #require(ThisHost.cases.first { $0.id == id })
    testCase.isAPICvInhibited = true
    let result = try ThisHost.run(testCase)
    if id.hasPrefix("apicv.posted") {
      #expect(result.verdict == .skipped("posted interrupts: a parked vCPU keeps APICv off"))
    } else {
      #expect(result.verdict == .passed)
      #expect((result.evidence?.cost.latency ?? 0) > 0)
    }
  }

  @Test func `a scenario that passes without its stimulus is what sabotage finds`() throws {
    let idle = Scenario("made-up.idle", "Nothing is expected", modes: [.x2APIC], exercises: []) { test in
      try test.stimulus {}
    }
    let result = try ThisHost.run(ScenarioCase(scenario: idle, mode: .x2APIC), sabotage: .stimulus)
    #expect(result.verdict == .failed("it passed although its stimulus was withheld, so it proves nothing"))
  }

  @Test func `a scenario that fails before its stimulus proves nothing`() throws {
    let early = Scenario("made-up.early", "Something is expected too early", modes: [.x2APIC], exercises: []) { test in
      try test.check("1 is 2", 1, equals: 2)
      try test.stimulus {}
    }
    let result = try ThisHost.run(ScenarioCase(scenario: early, mode: .x2APIC), sabotage: .stimulus)
    #expect(
      result.verdict
        == .failed("it failed, but not for want of its stimulus: it did not get as far: 1 is 2: expected 2, saw 1"))
  }

  @Test func `a failure shows the interrupts, the counters and the state of each vCPU`() throws {
    let failing = Scenario("made-up.failing", "One interrupt is two", modes: [.x2APIC], exercises: []) { test in
      try test.stimulus { try test[vcpu: 0].send(.toSelf(0x51)) }
      try test.expect(1, of: 0x51, on: 0)
      try test.check("interrupts", 1, equals: 2)
    }
    let result = try ThisHost.run(ScenarioCase(scenario: failing, mode: .x2APIC))
    #expect(result.verdict == .failed("interrupts: expected 2, saw 1"))
    let scene = try #require(result.scene)
    #expect(scene.interrupts == [FailureScene.InterruptCount(vcpu: 0, vector: 0x51, count: 1)])
    #expect(scene.counters.count == 1 && scene.counters[0]["exits"] ?? 0 > 0)
    #expect(scene.vcpus.map(\.index) == [0])
  }

  @Test func `a scenario that hangs in a call about a running vCPU is freed and reported with its state`() throws {
    let hanging = Scenario("made-up.hanging", "A call returns", modes: [.x2APIC], exercises: []) { test in
      try test[vcpu: 0].spin(until: 0x51, reaches: 1, seconds: 100)
      try test.stimulus {}
      // It waits until the vCPU leaves the guest, which it does not do by itself.
      _ = try test.machine.vcpus[0].registers()
      try test.expect(1, of: 0x51, on: 0)
    }
    var suite = SuiteRunner(try ThisHost.runner)
    suite.limit = .seconds(2)
    let outcome = try suite.run([ScenarioCase(scenario: hanging, mode: .x2APIC)])
    let result = try #require(outcome.results[0].last)
    #expect(result.verdict.message?.hasPrefix("it did not end within 2.0 seconds and was stopped") == true)
    #expect(result.scene?.vcpus.count == 1)
  }

  @Test func `what the host is required to have is not skipped`() throws {
    let needy = Scenario(
      "made-up.needy", "There is a capability of number 9999", modes: [.x2APIC], exercises: [],
      needs: [.capability(Capability(rawValue: 9999))]
    ) { _ in }
    let testCase = ScenarioCase(scenario: needy, mode: .x2APIC)
    let reason = "this kernel's KVM has no KVM_CAP_9999"
    #expect(try ThisHost.run(testCase).verdict == .skipped(reason))
    var runner = try ThisHost.runner
    runner.requirements = [.capability(Capability(rawValue: 9999))]
    #expect(runner.run(testCase).verdict == .failed("it cannot be run here, and is required to: \(reason)"))
  }
}
