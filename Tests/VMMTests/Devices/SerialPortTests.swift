import Testing

@testable import VMM

@Suite struct SerialPortTests {
  private let console = Console()
  private let serial: SerialPort

  init() { serial = SerialPort(console: console) }

  private func at(_ offset: UInt64) -> BusAccess { BusAccess(vcpu: 0, offset: offset, width: 1) }

  @Test func `a byte to the transmitter is printed`() {
    serial.write(0x41, at(0))
    serial.write(string: Array("BC".utf8), at(0))
    #expect(console.text == "ABC")
  }

  @Test func `the divisor of the baud rate is not`() {
    serial.write(0x80, at(3))
    serial.write(0x0c, at(0))
    serial.write(0x01, at(1))
    serial.write(string: [0x0d], at(0))
    #expect(serial.read(at(0)) == 0x0d)
    #expect(serial.read(at(1)) == 0x01)
    #expect(serial.read(at(3)) == 0x80)
    serial.write(0x03, at(3))
    #expect(serial.read(at(0)) == 0)
    #expect(serial.read(at(1)) == 0)
    serial.write(0x44, at(0))
    #expect(console.text == "D")
  }

  @Test func `the line is always ready, and no interrupt is pending`() {
    #expect(serial.read(at(5)) == 0x60)
    #expect(serial.read(at(2)) == 1)
    #expect(serial.read(at(6)) == 0xb0)
  }

  @Test func `interrupt enable, modem control and scratch keep their bytes, the status registers do not`() {
    for offset in 1...7 as ClosedRange<UInt64> { serial.write(0x05, at(offset)) }
    #expect(serial.read(at(1)) == 5)
    #expect(serial.read(at(4)) == 5)
    #expect(serial.read(at(7)) == 5)
    #expect(serial.read(at(5)) == 0x60)
    #expect(serial.read(at(6)) == 0xb0)
    serial.write(string: [1, 2], at(7))
    #expect(serial.read(at(7)) == 2)
    #expect(console.text == "")
  }
}
