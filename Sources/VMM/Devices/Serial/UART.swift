/// The registers of a 16550 UART (PC16550D data sheet, section 8). A character that is sent has left at once, and one that
/// comes is there at once: neither baud rate nor modem is modelled. A value: no console, no line.
struct UART: Sendable {
  /// Offsets (table II); the first two are the divisor latch where LCR says so.
  enum Register {
    static let data: UInt64 = 0
    static let interruptEnable: UInt64 = 1
    /// Read; written it is the FIFO control register.
    static let interruptIdentification: UInt64 = 2
    static let lineControl: UInt64 = 3
    static let modemControl: UInt64 = 4
    static let lineStatus: UInt64 = 5
    static let modemStatus: UInt64 = 6
    static let scratch: UInt64 = 7
  }

  private enum Enable {
    static let received: UInt8 = 1 << 0
    static let transmitterEmpty: UInt8 = 1 << 1
    static let lineStatus: UInt8 = 1 << 2
    static let modemStatus: UInt8 = 1 << 3
    static let all: UInt8 = 0xf
  }
  private enum LineStatus {
    static let dataReady: UInt8 = 1 << 0
    static let overrun: UInt8 = 1 << 1
    static let transmitterEmpty: UInt8 = 0x60
  }
  private enum ModemControl {
    static let loopback: UInt8 = 1 << 4
    static let all: UInt8 = 0x1f
  }
  private enum ModemStatus {
    static let changes: UInt8 = 0x0f
    /// Carrier, data set ready, clear to send.
    static let connected: UInt8 = 0xb0
  }
  private static let divisorLatchAccess: UInt8 = 0x80
  /// How many characters the receiver's FIFO holds.
  private static let fifoDepth = 16

  private(set) var interruptEnable: UInt8 = 0
  private(set) var fifoControl: UInt8 = 0
  private(set) var lineControl: UInt8 = 0
  private(set) var modemControl: UInt8 = 0
  private(set) var scratch: UInt8 = 0
  private(set) var divisor: UInt16 = 0
  /// What has come and was not read.
  private(set) var received: [UInt8] = []
  private(set) var hasOverrun = false
  /// The inputs that changed since the modem status was read.
  private(set) var modemChanges: UInt8 = 0
  /// The transmitter became empty, and the guest has not been told.
  private(set) var announcesEmptyTransmitter = false

  private var hasFIFO: Bool { fifoControl & 1 != 0 }
  private var isLatchOpen: Bool { lineControl & Self.divisorLatchAccess != 0 }
  private var isLoopedBack: Bool { modemControl & ModemControl.loopback != 0 }
  /// How many characters the receiver can take before one is lost.
  var room: Int { max(0, (hasFIFO ? Self.fifoDepth : 1) - received.count) }

  /// The interrupt with the highest priority, as the IIR says it (table IV): 1 for none.
  private var interrupt: UInt8 {
    if interruptEnable & Enable.lineStatus != 0, hasOverrun { return 0x6 }
    if interruptEnable & Enable.received != 0, !received.isEmpty {
      // Below its trigger level a FIFO interrupts when nothing came for a while, which here is at once.
      return hasFIFO && received.count < [1, 4, 8, 14][Int(fifoControl >> 6)] ? 0xc : 0x4
    }
    if interruptEnable & Enable.transmitterEmpty != 0, announcesEmptyTransmitter { return 0x2 }
    if interruptEnable & Enable.modemStatus != 0, modemChanges != 0 { return 0x0 }
    return 0x1
  }

  /// Whether the chip asserts its line. A PC lets it through while OUT2 is set; here it always is, as with QEMU: kernels that
  /// people have, such as xv6, never set OUT2.
  var interrupts: Bool { interrupt != 1 }

  /// The inputs: in loopback mode the outputs, CTS from RTS, DSR from DTR, RI from OUT1, DCD from OUT2.
  private var modemInputs: UInt8 {
    guard isLoopedBack else { return ModemStatus.connected }
    let (dtr, rts, outputs) = (modemControl & 1, modemControl >> 1 & 1, modemControl >> 2 & 3)
    return rts << 4 | dtr << 5 | outputs << 6
  }

  /// The value of a register, and what reading it does.
  mutating func read(_ register: UInt64) -> UInt8 {
    switch register {
    case 0...1 where isLatchOpen:
      return UInt8(truncatingIfNeeded: register == 0 ? divisor : divisor >> 8)
    case Register.data:
      return received.isEmpty ? 0 : received.removeFirst()
    case Register.interruptEnable: return interruptEnable
    case Register.interruptIdentification:
      let interrupt = interrupt
      if interrupt == 0x2 { announcesEmptyTransmitter = false }
      return interrupt | (hasFIFO ? 0xc0 : 0)
    case Register.lineControl: return lineControl
    case Register.modemControl: return modemControl
    case Register.lineStatus:
      defer { hasOverrun = false }
      return LineStatus.transmitterEmpty | (received.isEmpty ? 0 : LineStatus.dataReady)
        | (hasOverrun ? LineStatus.overrun : 0)
    case Register.modemStatus:
      defer { modemChanges = 0 }
      return modemInputs | modemChanges
    case Register.scratch: return scratch
    default: return 0
    }
  }

  /// A write to a register. A character in the transmitter is on its way until `completeTransmission`.
  ///
  /// - Returns: the character that the transmitter was given; nil for any other register.
  mutating func write(_ byte: UInt8, to register: UInt64) -> UInt8? {
    switch register {
    case 0 where isLatchOpen: divisor = divisor & 0xff00 | UInt16(byte)
    case 1 where isLatchOpen: divisor = divisor & 0xff | UInt16(byte) << 8
    case Register.data:
      announcesEmptyTransmitter = false
      return byte
    case Register.interruptEnable:
      // The transmitter is empty: enabling its interrupt raises it.
      if byte & ~interruptEnable & Enable.transmitterEmpty != 0 { announcesEmptyTransmitter = true }
      interruptEnable = byte & Enable.all
    case Register.interruptIdentification:
      // Bits 1 and 2 clear the FIFOs; so does a change of bit 0.
      if byte & 0x2 != 0 || (byte ^ fifoControl) & 1 != 0 { received = [] }
      fifoControl = byte & 1 == 0 ? 0 : byte & 0xc9
    case Register.lineControl: lineControl = byte
    case Register.modemControl:
      let before = modemInputs
      modemControl = byte & ModemControl.all
      noteModemInputs(before: before)
    case Register.scratch: scratch = byte
    default: break
    }
    return nil
  }

  /// A character has left the transmitter, which is empty again.
  ///
  /// - Returns: the character where it left the chip; nil where it came back to the receiver.
  mutating func completeTransmission(of byte: UInt8) -> UInt8? {
    announcesEmptyTransmitter = true
    guard isLoopedBack else { return byte }
    receive(byte)
    return nil
  }

  /// A character comes. Where there is no room, one is lost: in a FIFO the new one, without a FIFO the old.
  mutating func receive(_ byte: UInt8) {
    guard room == 0 else { return received.append(byte) }
    hasOverrun = true
    if !hasFIFO { received = [byte] }
  }

  /// Ring counts at its end only.
  private mutating func noteModemInputs(before: UInt8) {
    let (now, ring) = (modemInputs, UInt8(1 << 6))
    modemChanges |= (before ^ now) >> 4 & ModemStatus.changes & ~(ring >> 4)
    if before & ring != 0, now & ring == 0 { modemChanges |= ring >> 4 }
  }
}

extension UART {
  /// The fields of its saved state. The first two are as they were before it could receive; the others may be absent.
  func fields() -> [String: [UInt64]] {
    [
      "registers": [0, interruptEnable, 0, lineControl, modemControl, 0, 0, scratch].map { UInt64($0) },
      "divisor": [UInt64(divisor & 0xff), UInt64(divisor >> 8)],
      "fifoControl": [UInt64(fifoControl)],
      "received": received.map { UInt64($0) },
      "pending": [hasOverrun ? 1 : 0, UInt64(modemChanges), announcesEmptyTransmitter ? 1 : 0],
    ]
  }

  init(_ saved: DeviceState) throws(DeviceStateError) {
    self.init()
    let registers = try saved.values("registers", count: 8, upTo: 0xff).map { UInt8(truncatingIfNeeded: $0) }
    let latch = try saved.values("divisor", count: 2, upTo: 0xff)
    interruptEnable = registers[1] & Enable.all
    lineControl = registers[3]
    modemControl = registers[4] & ModemControl.all
    scratch = registers[7]
    divisor = UInt16(truncatingIfNeeded: latch[0] | latch[1] << 8)
    guard saved.fields["fifoControl"] != nil else { return }
    fifoControl = UInt8(truncatingIfNeeded: try saved.value("fifoControl", upTo: 0xff)) & 0xc9
    let count = saved.fields["received"]?.count ?? 0
    guard count <= Self.fifoDepth else {
      throw DeviceStateError(
        device: saved.name, field: "received", problem: "\(count) characters, where at most \(Self.fifoDepth) fit")
    }
    received = try saved.values("received", count: count, upTo: 0xff).map { UInt8(truncatingIfNeeded: $0) }
    let pending = try saved.values("pending", count: 3, upTo: 0xf)
    hasOverrun = pending[0] != 0
    modemChanges = UInt8(truncatingIfNeeded: pending[1])
    announcesEmptyTransmitter = pending[2] != 0
  }
}
