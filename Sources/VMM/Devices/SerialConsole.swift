import Synchronization

/// The part of a 16550 UART that prints: bytes written to the transmitter go to the console, the line is always ready.
///
/// Interrupts and reception are not modelled. The divisor latch is, so that a guest that sets the baud rate does not
/// print it (PC16550D data sheet, section 8).
public final class SerialConsole: BusDevice {
  /// COM1.
  public static let ports: Range<UInt64> = 0x3f8..<0x400

  private enum Register {
    static let transmitter: UInt64 = 0
    static let lineControl: UInt64 = 3
    static let modemControl: UInt64 = 4
    static let lineStatus: UInt64 = 5
    static let modemStatus: UInt64 = 6
    static let scratch: UInt64 = 7
  }
  private static let divisorLatchAccess: UInt8 = 0x80
  private static let transmitterEmpty: UInt64 = 0x60
  private static let carrierClearReady: UInt64 = 0xb0

  struct State {
    var registers = InlineArray<8, UInt8>(repeating: 0)
    var divisor = InlineArray<2, UInt8>(repeating: 0)
    var isLatchOpen: Bool { registers[Int(Register.lineControl)] & SerialConsole.divisorLatchAccess != 0 }
  }

  let state = Mutex(State())
  private let console: Console

  /// A UART whose transmitter leads to `console`.
  public init(console: Console) {
    self.console = console
  }

  /// A register's value (data sheet, table II).
  public func read(_ access: BusAccess) -> UInt64 {
    state.withLock { state in
      switch access.offset {
      case 0...1 where state.isLatchOpen: UInt64(state.divisor[Int(access.offset)])
      case Register.lineStatus: Self.transmitterEmpty
      case Register.modemStatus: Self.carrierClearReady
      case Register.lineControl, Register.modemControl, Register.scratch, 1:
        UInt64(state.registers[Int(access.offset)])
      case 2: 1  // no interrupt is pending
      default: 0
      }
    }
  }

  /// A write to a register; to the transmitter, a character.
  public func write(_ value: UInt64, _ access: BusAccess) {
    let byte = UInt8(truncatingIfNeeded: value)
    let isCharacter = state.withLock { state in
      if access.offset <= 1, state.isLatchOpen {
        state.divisor[Int(access.offset)] = byte
        return false
      }
      if access.offset == Register.transmitter { return true }
      if access.offset < 8 { state.registers[Int(access.offset)] = byte }
      return false
    }
    if isCharacter { console.write([byte]) }
  }

  /// A whole text at once.
  public func write(string: [UInt8], _ access: BusAccess) {
    guard access.offset == Register.transmitter, !state.withLock({ $0.isLatchOpen }) else {
      for byte in string { write(UInt64(byte), access) }
      return
    }
    console.write(string)
  }
}

extension SerialConsole {
  static let stateName = "serial"

  /// What its registers hold.
  func save() -> DeviceState {
    state.withLock { state in
      DeviceState(
        name: Self.stateName,
        fields: [
          "registers": state.registers.indices.map { UInt64(state.registers[$0]) },
          "divisor": state.divisor.indices.map { UInt64(state.divisor[$0]) },
        ])
    }
  }

  /// Puts back what they held.
  ///
  /// - Throws: `DeviceStateError` for a state that is none of this device.
  func restore(_ saved: DeviceState) throws(DeviceStateError) {
    let restored = try State(saved)
    state.withLock { $0 = restored }
  }
}

extension SerialConsole.State {
  init(_ saved: DeviceState) throws(DeviceStateError) {
    self.init()
    let registers = try saved.values("registers", count: 8, upTo: 0xff)
    let divisor = try saved.values("divisor", count: 2, upTo: 0xff)
    for index in self.registers.indices { self.registers[index] = UInt8(truncatingIfNeeded: registers[index]) }
    for index in self.divisor.indices { self.divisor[index] = UInt8(truncatingIfNeeded: divisor[index]) }
  }
}
