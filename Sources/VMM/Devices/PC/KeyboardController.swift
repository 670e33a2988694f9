import Synchronization

/// A PC's keyboard controller, an 8042 without a keyboard: its self-test, its command byte, and its output port, whose bit
/// 0 is the processor's reset line.
final class KeyboardController: BusDevice {
  static let data: Range<UInt64> = 0x60..<0x61
  static let command: Range<UInt64> = 0x64..<0x65
  static let stateName = "keyboard"

  private enum Command {
    static let readCommandByte: UInt8 = 0x20
    static let writeCommandByte: UInt8 = 0x60
    static let selfTest: UInt8 = 0xaa
    static let portTest: UInt8 = 0xab
    static let readOutputPort: UInt8 = 0xd0
    static let writeOutputPort: UInt8 = 0xd1
    static let pulseReset: UInt8 = 0xfe
  }
  /// Status: the output buffer is full; the self-test has passed; the keyboard is not locked.
  private static let outputFull: UInt8 = 0x01
  private static let ready: UInt8 = 0x14
  /// The output port: not in reset, A20 open.
  private static let notReset: UInt8 = 0x01

  struct State: Hashable, Sendable {
    /// What the next read of the data port gives; nil for nothing.
    var output: UInt8?
    /// The command that waits for a byte at the data port; 0 for none.
    var pending: UInt8 = 0
    var commandByte: UInt8 = 0
    var outputPort: UInt8 = 0x03
  }

  private let state = Mutex(State())
  private let stop: StopSwitch

  init(stop: StopSwitch) { self.stop = stop }

  /// The controller as one of its two ports reaches it.
  func port(isCommand: Bool) -> any BusDevice { Port(controller: self, isCommand: isCommand) }

  func read(_ access: BusAccess) -> UInt64 {
    UInt64(state.withLock { $0.output.take() ?? 0 })
  }

  func write(_ value: UInt64, _ access: BusAccess) {
    let byte = UInt8(truncatingIfNeeded: value)
    let resets = state.withLock { state in
      defer { state.pending = 0 }
      switch state.pending {
      case Command.writeCommandByte: state.commandByte = byte
      case Command.writeOutputPort:
        state.outputPort = byte
        return byte & Self.notReset == 0
      default: break
      }
      return false
    }
    if resets { stop.stop(.reset(vcpu: access.vcpu)) }
  }

  private var status: UInt8 { state.withLock { Self.ready | ($0.output == nil ? 0 : Self.outputFull) } }

  private func take(command: UInt8, vcpu: Int) {
    if command == Command.pulseReset { return stop.stop(.reset(vcpu: vcpu)) }
    state.withLock { state in
      state.pending = 0
      switch command {
      case Command.readCommandByte: state.output = state.commandByte
      case Command.readOutputPort: state.output = state.outputPort
      case Command.selfTest: state.output = 0x55
      case Command.portTest: state.output = 0
      case Command.writeCommandByte, Command.writeOutputPort: state.pending = command
      default: break
      }
    }
  }

  private struct Port: BusDevice {
    let controller: KeyboardController
    let isCommand: Bool

    func read(_ access: BusAccess) -> UInt64 {
      isCommand ? UInt64(controller.status) : controller.read(access)
    }

    func write(_ value: UInt64, _ access: BusAccess) {
      if isCommand {
        controller.take(command: UInt8(truncatingIfNeeded: value), vcpu: access.vcpu)
      } else {
        controller.write(value, access)
      }
    }
  }
}

extension KeyboardController: RegisterDevice {
  var held: State {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

extension KeyboardController.State: DeviceRegisters {
  init(_ saved: DeviceState) throws(DeviceStateError) {
    func byte(_ name: String) throws(DeviceStateError) -> UInt8 {
      UInt8(truncatingIfNeeded: try saved.value(name, upTo: 0xff))
    }
    let output = try byte("output")
    self.init(
      output: try saved.value("outputFull", upTo: 1) == 1 ? output : nil, pending: try byte("pending"),
      commandByte: try byte("commandByte"), outputPort: try byte("outputPort"))
  }

  var fields: [String: [UInt64]] {
    [
      "outputFull": [output == nil ? 0 : 1], "output": [UInt64(output ?? 0)], "pending": [UInt64(pending)],
      "commandByte": [UInt64(commandByte)], "outputPort": [UInt64(outputPort)],
    ]
  }
}
