import Debugger
import KVM
import Testing

@Suite struct HardwareBreakpointsTests {
  @Test func `DR7 has a breakpoint's access and length at its place`() {
    var breakpoints = HardwareBreakpoints()
    #expect(breakpoints.registers.dr7 == 0x600)
    let answer1 = breakpoints.insert(.execute, at: 0x1001, size: 1)
    #expect(answer1)
    let answer2 = breakpoints.insert(.write, at: 0x2000, size: 4)
    #expect(answer2)
    let answer3 = breakpoints.insert(.readWrite, at: 0x3000, size: 8)
    #expect(answer3)
    let registers = breakpoints.registers
    #expect([registers.dr0, registers.dr1, registers.dr2] == [0x1001, 0x2000, 0x3000])
    #expect(registers.dr7 == 0x600 | 0x2a | 0xd << 20 | 0xb << 24)
    #expect(breakpoints.slot(hits: 0b011)?.access == .write)
    #expect(breakpoints.slot(hits: 0b1000) == nil)
    #expect(breakpoints.stopsExecution(at: 0x1001))
  }

  @Test func `a range that is not aligned takes several debug registers, and one that needs more than four none`() {
    var breakpoints = HardwareBreakpoints()
    // 0x1003, then 0x1004 to 0x1007, then 0x1008.
    let answer4 = breakpoints.insert(.write, at: 0x1003, size: 6)
    #expect(answer4)
    #expect(breakpoints.slots.compactMap { $0?.size } == [1, 4, 1])
    let answer5 = breakpoints.insert(.write, at: 0x2001, size: 3)
    #expect(!answer5)
    #expect(breakpoints.slots.compactMap { $0 }.count == 3)
    let answer6 = breakpoints.remove(.write, at: 0x1003)
    #expect(answer6)
    #expect(breakpoints.isEmpty)
    for (address, size) in [(0x1000, 0), (0x1000, 33), (0x1001, 31), (UInt64.max, 8)] as [(UInt64, UInt64)] {
      let answer7 = breakpoints.insert(.write, at: address, size: size)
      #expect(!answer7)
    }
  }

  @Test func `the same breakpoint twice takes one debug register`() {
    var breakpoints = HardwareBreakpoints()
    for _ in 0..<5 { _ = breakpoints.insert(.execute, at: 0x1000, size: 1) }
    #expect(breakpoints.slots.compactMap { $0 }.count == 1)
    for address in 1...3 as ClosedRange<UInt64> { _ = breakpoints.insert(.execute, at: address, size: 1) }
    #expect(!breakpoints.slots.contains(nil))
    let answer8 = breakpoints.insert(.execute, at: 4, size: 1)
    #expect(!answer8)
  }
}
