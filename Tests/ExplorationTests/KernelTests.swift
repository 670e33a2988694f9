import Exploration
import KVM
import ReferenceModel
import Testing

/// This host's KVM against the model.
struct KernelTests {
  @Test(.enabled(if: host != nil, "/dev/kvm cannot be used"))
  func `what KVM does on several threads has an order that the model has too`() throws {
    let host = try #require(Self.host)
    let survey = HostSurvey.take()
    let bench = HistoryBench(deviations: Deviations.of(survey), clock: FaultTests.clock) {
      machine throws(KVMError) in
      try KVMSubject(host.system, vcpus: machine.vcpus, cpuid: host.cpuid, hasGuest: true)
    }
    let omitted = Set(OperationKind.omitted(on: survey).map(\.name))
    for seed in 1...3 {
      var generator = HistoryGenerator(
        seed: UInt64(seed), families: [.concurrent, .msi, .line, .ioapic, .guest], omitted: omitted, hasGuest: true)
      var history = History(machine: generator.machine())
      for _ in 0..<300 { history.steps.append(generator.step()) }
      let finding = try bench.run(history)
      let shown = finding.map { "\($0.signature): \($0.history.steps.suffix(5).map(\.text)) \($0.mismatches)" }
      #expect(finding == nil, "\(shown ?? "")")
    }
  }

  private static let host: (system: System, cpuid: [CPUIDEntry])? = {
    guard let system = try? KVM.open(), let cpuid = try? KVMSubject.cpuid(of: system) else { return nil }
    return (system, cpuid)
  }()

  @Test(.enabled(if: host != nil, "/dev/kvm cannot be used"), arguments: [false, true])
  func `KVM does as the model does, step by step`(hasGuest: Bool) throws {
    let host = try #require(Self.host)
    let survey = HostSurvey.take()
    let bench = HistoryBench(deviations: Deviations.of(survey), clock: FaultTests.clock) {
      machine throws(KVMError) in
      try KVMSubject(host.system, vcpus: machine.vcpus, cpuid: host.cpuid, hasGuest: hasGuest)
    }
    let omitted = Set(OperationKind.omitted(on: survey).map(\.name))
    var generator = HistoryGenerator(seed: 1, omitted: omitted, hasGuest: hasGuest)
    for _ in 0..<3 {
      var history = History(machine: generator.machine())
      for _ in 0..<300 { history.steps.append(generator.step()) }
      let finding = try bench.run(history)
      let shown = finding.map { "\($0.signature): \($0.history.steps.suffix(5).map(\.text)) \($0.mismatches)" }
      #expect(finding == nil, "\(shown ?? "")")
    }
  }
}
