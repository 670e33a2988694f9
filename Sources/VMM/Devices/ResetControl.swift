import Synchronization

/// The two ports through which PCs are reset: the keyboard controller's command port (0x64, 0xfe pulses the reset line)
/// and the chip set's reset control register (0xcf9, bit 2). A reset ends the machine, which says who did it.
public final class ResetControl: BusDevice {
  /// The keyboard controller's command and status port.
  public static let keyboardController: Range<UInt64> = 0x64..<0x65
  /// The reset control register.
  public static let resetRegister: Range<UInt64> = 0xcf9..<0xcfa

  /// Which of the two a device is.
  public enum Kind: Sendable {
    /// Port 0x64.
    case keyboardController
    /// Port 0xcf9.
    case resetRegister
  }

  private let kind: Kind
  private let stop: StopSwitch

  /// One of the two ports.
  public init(_ kind: Kind, stop: StopSwitch) {
    self.kind = kind
    self.stop = stop
  }

  /// Status: no byte waits, and none that was written is still to be taken.
  public func read(_ access: BusAccess) -> UInt64 { 0 }

  /// Resets, if `value` asks for it.
  public func write(_ value: UInt64, _ access: BusAccess) {
    let resets =
      switch kind {
      case .keyboardController: value & 0xff == 0xfe
      case .resetRegister: value & 0x04 != 0
      }
    if resets { stop.stop(.reset(vcpu: access.vcpu)) }
  }
}

/// Port 92: a fast reset when bit 0 goes from 0 to 1, and the A20 gate, which is always open.
final class SystemControlPortA: BusDevice {
  static let ports: Range<UInt64> = 0x92..<0x93
  static let stateName = "port-92"

  struct State: Hashable, Sendable {
    var value: UInt8 = 0
  }

  private static let fastReset: UInt8 = 1
  private let state = Mutex(State())
  private let stop: StopSwitch

  init(stop: StopSwitch) { self.stop = stop }

  func read(_ access: BusAccess) -> UInt64 { state.withLock { UInt64($0.value) } }

  func write(_ value: UInt64, _ access: BusAccess) {
    let byte = UInt8(truncatingIfNeeded: value)
    let resets = state.withLock { state in
      defer { state.value = byte }
      return byte & ~state.value & Self.fastReset != 0
    }
    if resets { stop.stop(.reset(vcpu: access.vcpu)) }
  }
}

extension SystemControlPortA: RegisterDevice {
  var held: State {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

extension SystemControlPortA.State: DeviceRegisters {
  init(_ saved: DeviceState) throws(DeviceStateError) {
    self.init(value: UInt8(truncatingIfNeeded: try saved.value("value", upTo: 0xff)))
  }

  var fields: [String: [UInt64]] { ["value": [UInt64(value)]] }
}
