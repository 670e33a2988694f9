import APIC
import Testing

@Suite struct TimerDivideTests {
  @Test(
    arguments: [
      (0b0000, 2), (0b0001, 4), (0b0010, 8), (0b0011, 16), (0b1000, 32), (0b1001, 64), (0b1010, 128), (0b1011, 1),
    ] as [(UInt32, UInt32)])
  func `the code in bits 3, 1 and 0 is a divisor`(registerValue: UInt32, divisor: UInt32) {
    let divide = TimerDivide(registerValue: registerValue)
    #expect(divide.divisor == divisor)
    #expect(divide.registerValue == registerValue)
  }

  @Test(arguments: TimerDivide.allCases)
  func `the register's other bits are ignored`(divide: TimerDivide) {
    #expect(TimerDivide(registerValue: divide.registerValue | 0xffff_fff4) == divide)
  }
}
