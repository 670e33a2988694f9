import Testing

@testable import KVM
@testable import Scenarios

/// What a probe that failed excuses, on hosts that were made up.
@Suite struct ProbeTests {
  private func survey(_ backEnd: BackEnd?, kernel: String = "6.18.0", hypervisor: String? = nil) -> HostSurvey {
    HostSurvey(
      kernelRelease: kernel, hypervisor: hypervisor, backEnd: backEnd, apiVersion: 12, deviceError: nil,
      capabilities: [], modules: [], features: [])
  }

  /// A probe that failed, by an expectation that decides on a trait or by something else.
  private func failure(deciding trait: HostTrait?) -> ScenarioResult {
    var result = ScenarioResult(MadeUpCases.named("a")[0])
    result.verdict = .failed("it was not so")
    result.cause = .expectation
    result.missingTrait = trait
    return result
  }

  private static let ofSoftware: [HostTrait] = [.inService, .hypercall, .instructionBoundary, .tscOffset]

  @Test(arguments: ofSoftware) func `the software back end lacks what it is known to lack`(trait: HostTrait) {
    #expect(trait.excuse(failure(deciding: trait), on: survey(.kvmPVM)) != nil)
  }

  @Test(arguments: ofSoftware, [.kvmIntel, .kvmAMD, .unknown("kvm_other"), nil] as [BackEnd?])
  func `no other back end is excused from it`(trait: HostTrait, backEnd: BackEnd?) {
    #expect(trait.excuse(failure(deciding: trait), on: survey(backEnd)) == nil)
  }

  @Test(arguments: ofSoftware)
  func `a probe that fails by anything else, such as a time-out or a machine that cannot be built, excuses nothing`(
    trait: HostTrait
  ) {
    #expect(trait.excuse(failure(deciding: nil), on: survey(.kvmPVM)) == nil)
    var unbuilt = ScenarioResult(MadeUpCases.named("a")[0])
    unbuilt.verdict = .failed("the machine could not be built")
    #expect(trait.excuse(unbuilt, on: survey(.kvmPVM)) == nil)
  }

  @Test func `only emulated processors may take an interrupt between two shadows`() {
    let trait = HostTrait.consecutiveShadows
    #expect(trait.excuse(failure(deciding: trait), on: survey(.kvmIntel)) == nil)
    #expect(trait.excuse(failure(deciding: trait), on: survey(.kvmAMD, hypervisor: "TCGTCGTCGTCG")) != nil)
  }

  @Test(arguments: [("6.1.0-44-amd64", true), ("6.3.0", false), ("6.12.3", false)])
  func `a kernel is excused by its release`(kernel: String, isExcused: Bool) {
    let trait = HostTrait.aliasedIDs
    #expect((trait.excuse(failure(deciding: trait), on: survey(.kvmIntel, kernel: kernel)) != nil) == isExcused)
  }
}
