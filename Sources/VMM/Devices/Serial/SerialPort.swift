import Synchronization

/// COM1: a 16550 UART whose transmitter leads to the console, whose receiver takes what the host types, and whose
/// interrupt is line 4.
public final class SerialPort: BusDevice {
  /// COM1.
  public static let ports: Range<UInt64> = 0x3f8..<0x400
  /// Its line.
  static let line: UInt32 = 4

  private struct State {
    var uart = UART()
    /// What the host has typed and the receiver has not taken.
    var input = ArraySlice<UInt8>()
    var isAsserted = false
  }

  private let state = Mutex(State())
  private let console: Console
  private let setLine: @Sendable (Bool) -> Void

  /// A serial port.
  ///
  /// - Parameters:
  ///   - console: where its transmitter leads.
  ///   - setLine: sets the level of its line. It is called where that changes, and has to return soon.
  public init(console: Console, setLine: @escaping @Sendable (Bool) -> Void = { _ in }) {
    self.console = console
    self.setLine = setLine
  }

  /// A register's value (data sheet, table II).
  public func read(_ access: BusAccess) -> UInt64 {
    state.withLock { state in
      let value = state.uart.read(access.offset)
      update(&state)
      return UInt64(value)
    }
  }

  /// A write to a register; to the transmitter, a character.
  public func write(_ value: UInt64, _ access: BusAccess) { write(string: [UInt8(truncatingIfNeeded: value)], access) }

  /// A whole text at once.
  public func write(string: [UInt8], _ access: BusAccess) {
    var text: [UInt8] = []
    state.withLock { state in
      for byte in string {
        let sent = state.uart.write(byte, to: access.offset)
        update(&state)
        guard let sent else { continue }
        if let sent = state.uart.completeTransmission(of: sent) { text.append(sent) }
        update(&state)
      }
    }
    // Not under the lock: a console may wait for its reader.
    if !text.isEmpty { console.write(text) }
  }

  /// Gives the guest input, which its receiver takes as fast as the guest reads it: nothing of it is lost.
  public func type(_ bytes: [UInt8]) {
    state.withLock { state in
      state.input += bytes
      update(&state)
    }
  }

  /// How many bytes of input the receiver has not taken. Who has much more to give waits until they are few.
  public var waitingInput: Int { state.withLock { $0.input.count } }

  /// Fills the receiver and sets the line.
  private func update(_ state: inout State) {
    while state.uart.room > 0, let byte = state.input.popFirst() { state.uart.receive(byte) }
    guard state.uart.interrupts != state.isAsserted else { return }
    state.isAsserted.toggle()
    setLine(state.isAsserted)
  }
}

extension SerialPort: StatefulDevice {
  static let stateName = "serial"

  /// What its registers hold.
  func save() -> DeviceState { DeviceState(name: Self.stateName, fields: state.withLock { $0.uart.fields() }) }

  /// Puts back what they held. The level of the line is part of the chips' state, where it leads to.
  ///
  /// - Throws: `DeviceStateError` for a state that is none of this device.
  func restore(_ saved: DeviceState) throws(DeviceStateError) {
    let uart = try UART(saved)
    state.withLock {
      $0.uart = uart
      $0.isAsserted = uart.interrupts
    }
  }
}
