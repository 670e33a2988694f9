import APIC
import Testing

@Suite struct InterruptDeliveryTests {
  /// A local APIC that is on and idle.
  private var idle: LocalAPICState {
    var state = LocalAPICState()
    state.spurious = SpuriousInterruptVectorRegister()
    return state
  }

  @Test func `the bitmaps are apart and come back`() {
    var state = LocalAPICState()
    state.inService = [0x31]
    state.triggerModes = [0x00, 0xff]
    state.interruptRequest = [0x30, 0x70]
    #expect(state.inService == [0x31])
    #expect(state.triggerModes == [0x00, 0xff])
    #expect(state.interruptRequest == [0x30, 0x70])
    #expect(state[.interruptRequest, word: 3] == 1 << 16)
  }

  @Test func `nothing requested, nothing to deliver`() {
    #expect(idle.nextDeliverable == nil)
  }

  @Test func `the highest request is delivered first`() {
    var state = idle
    state.interruptRequest = [0x30, 0x70]
    #expect(state.nextDeliverable == 0x70)
  }

  @Test(arguments: [(0x6f, 0x70), (0x70, nil), (0xff, nil)] as [(Priority, Vector?)])
  func `the task priority holds back its own class and those below`(priority: Priority, next: Vector?) {
    var state = idle
    state.interruptRequest = [0x30, 0x70]
    state.taskPriority = priority
    #expect(state.nextDeliverable == next)
  }

  @Test(arguments: [(0x6f, 0x70), (0x71, nil)] as [(Vector, Vector?)])
  func `an interrupt in service holds back its own class and those below`(inService: Vector, next: Vector?) {
    var state = idle
    state.interruptRequest = [0x70]
    state.inService = [0x20, inService]
    #expect(state.nextDeliverable == next)
  }

  @Test func `the priority follows from the TPR and the ISR, not from the PPR that was stored`() {
    var state = idle
    state.interruptRequest = [0x70]
    state.processorPriority = 0xf0
    #expect(state.nextDeliverable == 0x70)
  }

  @Test func `a local APIC that software has disabled delivers nothing`() {
    var state = idle
    state.interruptRequest = [0x70]
    state.spurious.isSoftwareEnabled = false
    #expect(state.nextDeliverable == nil)
    #expect(state.description == "IRR {0x70} ISR {} TPR 0x00 PPR 0x00, software disabled")
  }
}
