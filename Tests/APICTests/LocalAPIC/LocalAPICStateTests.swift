import APIC
import Testing

@Suite struct LocalAPICStateTests {
  /// A page in which every 32-bit word is different.
  private var page: InlineArray<256, UInt32> {
    InlineArray { index in 0x0101_0101 &* UInt32(index) }
  }

  @Test func `all 1024 bytes come back, those between the registers too`() {
    let state = LocalAPICState(registers: page)
    let words = state.registers.indices.map { state.registers[$0] }
    #expect(words == (0..<256).map { 0x0101_0101 * UInt32($0) })
    #expect(MemoryLayout<LocalAPICState>.size == 1024)
  }

  @Test(arguments: LocalAPICRegister.allCases)
  func `a register is the word at its offset`(register: LocalAPICRegister) {
    var state = LocalAPICState(registers: page)
    #expect(state[register] == 0x0101_0101 * UInt32(register.rawValue / 4))
    state[register] = 0xdead_beef
    #expect(state.registers[Int(register.rawValue) / 4] == 0xdead_beef)
  }

  @Test(arguments: [0, 4, 255])
  func `states that differ in one word are not equal`(index: Int) {
    let state = LocalAPICState(registers: page)
    var other = state
    #expect(Set([state, other]).count == 1)
    other.registers[index] ^= 1
    #expect(state != other)
  }

  @Test func `the ID is the upper byte, and in x2APIC mode the whole register`() {
    var state = LocalAPICState()
    state.setID(300, mode: .x2APIC)
    #expect(state[.id] == 300)
    #expect(state.id(mode: .x2APIC) == 300)

    state.setID(0xfe, mode: .xAPIC)
    #expect(state[.id] == 0xfe00_0000)
    #expect(state.id(mode: .xAPIC) == 0xfe)
  }

  @Test func `the logical ID is the upper byte, and in x2APIC mode the whole register`() {
    var state = LocalAPICState()
    state.logicalDestination = 0x8000_0000
    #expect(state.logicalID(mode: .xAPIC) == 0x80)
    #expect(state.logicalID(mode: .x2APIC) == 0x8000_0000)

    state.setLogicalID(0x0001_0002, mode: .x2APIC)
    #expect(state.logicalDestination == 0x0001_0002)
  }

  @Test(
    arguments: [
      (.interrupt(0x40, to: .physical(300)), .x2APIC, 300),
      (.startUp(page: 8, to: .logical(3)), .xAPIC, 0x0300_0000),
    ] as [(InterruptCommand, APICMode, UInt32)])
  func `the ICR is two registers in either mode`(command: InterruptCommand, mode: APICMode, high: UInt32) {
    var state = LocalAPICState()
    state.setInterruptCommand(command, mode: mode)
    #expect(state[.interruptCommandHigh] == high)
    #expect(state[.interruptCommand] == command.xAPICLow)
    #expect(state.interruptCommand(mode: mode) == command)
  }

  @Test(arguments: LocalVector.allCases)
  func `each source has an LVT entry of its own`(source: LocalVector) {
    var state = LocalAPICState()
    state.setLVT(source, to: .pin(0x55, isMasked: true))
    #expect(LocalVector.allCases.filter { state.lvt($0) != LVTEntry(rawValue: 0) } == [source])
    #expect(state.lvt(source) == .pin(0x55, isMasked: true))
  }

  @Test func `the timer's registers are typed`() {
    var state = LocalAPICState()
    state.initialCount = 1_000_000
    state.currentCount = 999_999
    state.divide = .by16
    #expect(state[.initialCount] == 1_000_000)
    #expect(state[.currentCount] == 999_999)
    #expect(state[.divide] == 0b0011)
    #expect(state.divide == .by16)
  }

  @Test func `the other registers are typed`() {
    var state = LocalAPICState()
    state.version = LocalAPICVersion(rawValue: 0x0005_0014)
    state.spurious = SpuriousInterruptVectorRegister(vector: 0xef)
    state.errorStatus = .receivedIllegalVector
    state.setDestinationFormat(.flat)
    state.processorPriority = 0x30
    #expect(state.version.maxLVTEntry == 5)
    #expect(state[.spurious] == 0x1ef)
    #expect(state[.errorStatus] == 0x40)
    #expect(state.destinationFormat == .flat)
    #expect(state[.processorPriority] == 0x30)
    #expect(state.processorPriority == 0x30)
  }
}
