import APIC
import KVM
import MachineState
import Reports
import Testing

@Suite struct InspectionTextTests {
  @Test func `scratch`() throws {
    let state = MadeUpMachine.busy()
    print(Inspection(state).text())
    print(Inspection(page: state.vcpus[0].localAPIC).text())
    print(RegisterSelection(Inspection(state).registers(named: "lvt-timer")).text())
    print(RegisterSelection(Inspection(state).registers(named: "REDTBL9")).text())
    print(DifferenceReport(MadeUpMachine.state(), state).text())
  }
}
