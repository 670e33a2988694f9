import APIC
import Testing

@testable import Evidence
@testable import KVM
@testable import Scenarios

/// What becomes of a scenario that passed, by the way of its interrupts, on hosts that were made up.
@Suite struct PathTests {
  private func host(_ state: HostFeature.State) -> HostKnowledge {
    HostKnowledge(
      survey: HostSurvey(
        kernelRelease: "6.18.0", hypervisor: nil, backEnd: nil, apiVersion: 12, deviceError: nil, capabilities: [],
        modules: [],
        features: [.apicv, .postedInterrupts].map { HostFeature($0, state, evidence: "it was made up") }))
  }

  private func verdict(_ demand: PathDemand, injections: UInt64, on state: HostFeature.State) -> ScenarioResult.Verdict
  {
    var result = ScenarioResult(MadeUpCases.named("a")[0])
    result.verdict = .passed
    result.evidence = Observation(
      vcpus: [
        VCPUObservation(
          index: 0, id: 0, counters: CounterEvidence(growth: ["irq_injections": injections]), taken: [0x51: 1])
      ], trace: .unavailable("no tracefs"), notifications: NotificationCounts(text: ""),
      deliversVirtually: host(state).survey[.apicv].isAvailable)
    result.demand(demand, host(state))
    return result.verdict
  }

  @Test(arguments: [PathDemand.virtualDeliveryOrSoftware, .postedOrSoftware], [0, 1] as [UInt64])
  func `a host of which it is not known what it has proves no path`(demand: PathDemand, injections: UInt64) {
    guard case .skipped(let reason) = verdict(demand, injections: injections, on: .unknown) else {
      Issue.record("it was judged")
      return
    }
    #expect(reason.contains("it was made up"))
  }

  @Test func `a host that is known is judged by what it has`() {
    #expect(verdict(.virtualDeliveryOrSoftware, injections: 1, on: .missing) == .passed)
    #expect(verdict(.virtualDeliveryOrSoftware, injections: 0, on: .available) == .passed)
    for (injections, state) in [(0, .missing), (1, .available)] as [(UInt64, HostFeature.State)] {
      guard case .failed = verdict(.virtualDeliveryOrSoftware, injections: injections, on: state) else {
        Issue.record("\(injections) injections pass where the feature is \(state)")
        continue
      }
    }
  }
}
