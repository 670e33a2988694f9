import KVM
import SystemPackage
import Testing
import VMM

@testable import Reports

@Suite struct OutcomeReportTests {
  @Test(
    arguments: [
      (Outcome.finished(status: 0, vcpu: 1), "finished", UInt32(0), 1),
      (.finished(status: 3, vcpu: 0), "finished", 3, 0),
      (.debugExit(value: 7, vcpu: 2), "debug-exit", 7, 2),
      (.shutdown(vcpu: 1), "shutdown", nil, 1),
      (.reset(vcpu: 0), "reset", nil, 0),
      (.poweredOff(vcpu: 1), "powered-off", nil, 1),
      (.systemEvent("system event 2", vcpu: 0), "system-event", nil, 0),
      (.unrunnable(reason: "KVM_INTERNAL_ERROR_EMULATION", vcpu: 0), "unrunnable", nil, 0),
      (.runFailed(KVMError(call: .run, errno: .badAddress), vcpu: 4), "run-failed", nil, 4),
      (.timeLimit, "time-limit", nil, nil),
      (.stopped, "stopped", nil, nil),
    ] as [(Outcome, String, UInt32?, Int?)])
  func `every outcome has a word, and a status and a vCPU where there is one`(
    outcome: Outcome, kind: String, status: UInt32?, vcpu: Int?
  ) {
    let report = OutcomeReport(outcome)
    #expect(report.kind.rawValue == kind)
    #expect(report.status == status)
    #expect(report.vcpu == vcpu)
    #expect(report.message == outcome.description)
  }
}
