import Synchronization
import Testing

@testable import VMM

/// Interrupts, reception and loopback of COM1.
@Suite struct UARTTests {
  /// The levels that its line was set to, in their order.
  private final class Line: Sendable {
    private let levels = Mutex<[Bool]>([])
    func set(_ level: Bool) { levels.withLock { $0.append(level) } }
    var history: [Bool] { levels.withLock { $0 } }
  }

  private let console = Console()
  private let line = Line()
  private let serial: SerialPort

  init() { serial = SerialPort(console: console) { [line] in line.set($0) } }

  private func read(_ offset: UInt64) -> UInt64 { serial.read(BusAccess(vcpu: 0, offset: offset, width: 1)) }
  private func write(_ value: UInt64, _ offset: UInt64) {
    serial.write(value, BusAccess(vcpu: 0, offset: offset, width: 1))
  }

  @Test func `enabling the transmitter's interrupt raises it, and reading the IIR ends it`() {
    write(0x08, 4)
    write(0x02, 1)
    #expect(line.history == [true])
    #expect(read(2) == 0x02)
    #expect(line.history == [true, false])
    #expect(read(2) == 0x01)
  }

  @Test func `every character that is sent gives an edge, whether or not the IIR was read`() {
    write(0x08, 4)
    write(0x02, 1)
    for byte in "AB".utf8 { write(UInt64(byte), 0) }
    #expect(line.history == [true, false, true, false, true])
    #expect(console.text == "AB")
  }

  @Test func `the line rises without OUT2 too`() {
    write(0x02, 1)
    #expect(line.history == [true])
    #expect(read(2) == 0x02)
    #expect(line.history == [true, false])
  }

  @Test func `in loopback mode what is sent is received and not printed`() {
    write(0x1b, 4)
    write(0x41, 0)
    #expect(read(5) & 1 == 1)
    #expect(read(0) == 0x41)
    #expect(read(5) & 1 == 0)
    #expect(console.text == "")
  }

  @Test func `in loopback mode the modem's inputs are the outputs, and a change interrupts`() {
    write(0x08, 1)
    write(0x18, 4)
    _ = read(6)
    write(0x1a, 4)
    #expect(read(2) == 0)
    #expect(read(6) == 0x91)
    #expect(read(6) == 0x90)
  }

  @Test func `input is received as fast as the guest reads it, and nothing is lost`() {
    write(0x08, 4)
    write(0x01, 2)
    write(0x01, 1)
    let text = (0..<100).map { UInt8($0) }
    serial.type(text)
    #expect(serial.waitingInput == 84)
    #expect(line.history == [true])
    #expect(read(2) == 0xc4)
    var received: [UInt8] = []
    while read(5) & 1 == 1 { received.append(UInt8(read(0))) }
    #expect(received == text)
    #expect(line.history == [true, false])
    #expect(read(5) & 2 == 0)
  }

  @Test func `a FIFO below its trigger level says that no more is coming`() {
    write(0xc1, 2)
    write(0x01, 1)
    serial.type([1])
    #expect(read(2) == 0xcc)
    serial.type(Array(repeating: 0, count: 13))
    #expect(read(2) == 0xc4)
  }

  @Test func `more than the receiver holds is an overrun, in loopback mode`() {
    write(0x10, 4)
    write(1, 0)
    write(2, 0)
    #expect(read(5) == 0x63)
    #expect(read(5) == 0x61)
    #expect(read(0) == 2)
  }

  @Test func `a state that is saved is restored, with what was received and what is pending`() throws {
    write(0x18, 4)
    write(0x01, 2)
    write(0x07, 1)
    for byte in 1...20 as ClosedRange<UInt64> { write(byte, 0) }
    let other = SerialPort(console: console) { [line] in line.set($0) }
    try other.restore(serial.save())
    #expect(other.save() == serial.save())
    #expect(other.read(BusAccess(vcpu: 0, offset: 2, width: 1)) == 0xc6)
  }

  @Test func `a state of a version without reception is taken`() throws {
    let old = DeviceState(name: "serial", fields: ["registers": [0, 1, 0, 3, 8, 0, 0, 7], "divisor": [1, 0]])
    try serial.restore(old)
    #expect(read(7) == 7)
    #expect(read(3) == 3)
  }

  @Test func `a state with more characters than the FIFO holds is refused`() {
    var state = serial.save()
    state.fields["received"] = Array(repeating: 0, count: 17)
    #expect(throws: DeviceStateError.self) { try serial.restore(state) }
  }
}
