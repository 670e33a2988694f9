import APIC
import ForeignStates
import MachineState
import Rules
import TestStates
import Testing

/// Every rule has a state that breaks it, and none is broken by a healthy one.
@Suite struct RuleTests {
  @Test func `a healthy machine breaks no rule`() {
    for vcpus in [1, 2, 8] {
      for mode in [APICMode.x2APIC, .xAPIC] {
        let state = HealthyMachine.state(vcpus: vcpus, mode: mode)
        #expect(InspectableState(state).findings() == [])
      }
    }
  }

  @Test(arguments: BrokenStates.all)
  func `a state that breaks a rule is found by it, and not before it does`(entry: BrokenStates.Entry) {
    #expect(entry.sound.findings() == [])
    let findings = entry.broken.findings().filter { $0.rule == entry.rule }
    #expect(!findings.isEmpty)
    for finding in findings {
      #expect(!finding.seen.isEmpty && !finding.owner.isEmpty && !finding.cause.isEmpty && !finding.why.isEmpty)
    }
  }

  @Test func `every rule has such a state`() {
    #expect(Set(Rule.all.map(\.name)) == Set(BrokenStates.all.map(\.rule)))
    #expect(Set(Rule.all.map(\.name)).count == Rule.all.count)
  }

  @Test func `no rule sees anything in a state of which nothing is known`() {
    var state = InspectableState(format: .monitor)
    for index in 0..<4 { state.append(InspectableVCPU(unknown: index)) }
    #expect(state.findings() == [])
    #expect(InspectableState(format: .qemu).findings() == [])
  }

  @Test func `a rule whose part is absent is silent`() {
    for entry in BrokenStates.all {
      var unknown = InspectableState(format: .monitor)
      unknown.machine = entry.broken.machine
      unknown.absentOfVCPUs = unknown.machine.vcpus.map { _ in InspectableVCPU(unknown: 0).absent }
      // IA32_TSC and the APIC base of the list of MSRs are known wherever they are.
      for index in unknown.machine.vcpus.indices { unknown.machine.vcpus[index].msrs = [] }
      #expect(unknown.findings() == [], "\(entry.rule)")
    }
  }

  @Test(arguments: BrokenStates.all)
  func `what is not known makes no rule see more`(entry: BrokenStates.Entry) {
    func places(_ state: InspectableState) -> Set<[String]> { Set(state.findings().map { [$0.rule, $0.owner] }) }
    let all = places(entry.broken)
    for part in InspectableState.Part.allCases {
      var state = entry.broken
      state.absent = [part]
      #expect(places(state).isSubset(of: all), "without \(part)")
    }
    for part in InspectableVCPU(unknown: 0).absent {
      var state = entry.broken
      state.absentOfVCPUs = state.machine.vcpus.map { _ in [part] }
      #expect(places(state).isSubset(of: all), "without \(part)")
    }
  }

  @Test func `what is surest comes first`() throws {
    var state = InspectableState(HealthyMachine.state())
    for entry in BrokenStates.all where ["esr.errors", "svr.off", "id.doubled"].contains(entry.rule) {
      entry.given(&state)
      entry.damage(&state)
    }
    let ranks = state.findings().compactMap { RuleCertainty.allCases.firstIndex(of: $0.certainty) }
    #expect(ranks == ranks.sorted())
    #expect(Set(ranks).count == RuleCertainty.allCases.count)
  }
}
