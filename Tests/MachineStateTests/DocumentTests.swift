import APIC
import KVM
import MachineState
import Testing
import VMM

@Suite("A state as a document") struct DocumentTests {
  @Test func `a document that is read back is the same state`() throws {
    let state = MachineState.madeUp()
    let document = try StateDocument(text: StateDocument(state).text)
    #expect(document.state == state)
    #expect(document.unknownMembers.isEmpty)
  }
}
