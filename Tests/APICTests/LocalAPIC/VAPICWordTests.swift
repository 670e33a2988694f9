import APIC
import Testing

@Suite struct VAPICWordTests {
  @Test func `the word has the TPR, the class in service and the highest vector requested`() {
    var state = LocalAPICState()
    state.taskPriority = 0x40
    state.inService = [0x31, 0x63]
    state.interruptRequest = [0x70, 0x8b]
    let word = VAPICWord(state)
    #expect(word.rawValue == 0x8b00_6040)
    #expect(word.taskPriority == 0x40)
    #expect(word.inServiceClass == 6)
    #expect(word.highestRequest == 0x8b)
    #expect(word.description == "TPR 0x40, in service class 6, requested 0x8b")
  }

  @Test func `with nothing in service and nothing requested it is the TPR`() {
    var state = LocalAPICState()
    state.taskPriority = 0x25
    #expect(VAPICWord(state).rawValue == 0x25)
    #expect(VAPICWord(state).description == "TPR 0x25, nothing in service, nothing requested")
  }
}
