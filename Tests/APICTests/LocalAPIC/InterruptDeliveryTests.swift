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
    #expect(idle.nextDeliverable(mode: .x2APIC) == nil)
  }

  @Test func `the highest request is delivered first`() {
    var state = idle
    state.interruptRequest = [0x30, 0x70]
    #expect(state.nextDeliverable(mode: .x2APIC) == 0x70)
  }

  @Test(arguments: [(0x6f, 0x70), (0x70, nil), (0xff, nil)] as [(Priority, Vector?)])
  func `the task priority holds back its own class and those below`(priority: Priority, next: Vector?) {
    var state = idle
    state.interruptRequest = [0x30, 0x70]
    state.taskPriority = priority
    #expect(state.nextDeliverable(mode: .x2APIC) == next)
  }

  @Test(arguments: [(0x6f, 0x70), (0x71, nil)] as [(Vector, Vector?)])
  func `an interrupt in service holds back its own class and those below`(inService: Vector, next: Vector?) {
    var state = idle
    state.interruptRequest = [0x70]
    state.inService = [0x20, inService]
    #expect(state.nextDeliverable(mode: .x2APIC) == next)
  }

  @Test func `the priority follows from the TPR and the ISR, not from the PPR that was stored`() {
    var state = idle
    state.interruptRequest = [0x70]
    state.processorPriority = 0xf0
    #expect(state.nextDeliverable(mode: .x2APIC) == 0x70)
  }

  @Test func `a local APIC that software has disabled delivers what it had accepted`() {
    var state = idle
    state.interruptRequest = [0x70]
    state.spurious.isSoftwareEnabled = false
    #expect(state.nextDeliverable(mode: .x2APIC) == 0x70)
    #expect(state.nextDeliverable(mode: .disabled) == nil)
    #expect(state.description == "IRR {0x70} ISR {} TPR 0x00 PPR 0x00, software disabled")
  }
}

@Suite struct DeliveryObstacleTests {
  @Test func `a vector is the next to be delivered exactly where nothing keeps it back`() {
    let priorities: [Priority] = [0x00, 0x6f, 0x70, 0xff]
    for requested in [[], [0x70], [0x30, 0x7f]] as [VectorSet] {
      for (inService, priority) in ([[], [0x6f], [0x71]] as [VectorSet]).flatMap({ set in priorities.map { (set, $0) } }
      ) {
        for (mode, isOn) in [(APICMode.disabled, true), (.xAPIC, true), (.xAPIC, false), (.x2APIC, true)] {
          var state = state(requested: requested, inService: inService, taskPriority: priority)
          state.spurious.isSoftwareEnabled = isOn
          let isFree = state.deliveryObstacle(mode: mode) == nil
          #expect(state.nextDeliverable(mode: mode) == (isFree ? requested.highest : nil))
          #expect(!isFree || mode != .disabled && !requested.isEmpty)
        }
      }
    }
  }

  private func state(requested: VectorSet, inService: VectorSet = [], taskPriority: Priority = 0) -> LocalAPICState {
    var state = LocalAPICState()
    state.interruptRequest = requested
    state.inService = inService
    state.taskPriority = taskPriority
    return state
  }

  @Test func `nothing keeps a vector of a higher class back`() {
    let state = state(requested: [0x70], inService: [0x6f], taskPriority: 0x6f)
    #expect(state.deliveryObstacle(mode: .x2APIC) == nil)
  }

  @Test func `the task priority or an interrupt in service keeps a vector of its class back`() {
    #expect(state(requested: [0x75], taskPriority: 0x70).deliveryObstacle(mode: .xAPIC) == .taskPriority(0x70))
    #expect(state(requested: [0x75], inService: [0x20, 0x71]).deliveryObstacle(mode: .xAPIC) == .inService(0x71))
    let both = state(requested: [0x75], inService: [0x90], taskPriority: 0x80)
    #expect(both.deliveryObstacle(mode: .xAPIC) == .taskPriority(0x80))
  }

  @Test func `a disabled local APIC and an empty IRR deliver nothing`() {
    #expect(state(requested: [0x75]).deliveryObstacle(mode: .disabled) == .disabled)
    #expect(state(requested: []).deliveryObstacle(mode: .xAPIC) == .nothingRequested)
  }
}
