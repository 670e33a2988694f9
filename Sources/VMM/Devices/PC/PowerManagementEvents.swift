import Synchronization

/// The ACPI event and control registers of PIIX4, which the FADT points to: fixed events that never come, and the register
/// that puts a machine to sleep (ACPI specification, sections 4.8.3.1 and 4.8.3.2). The real-time clock wakes it from S3;
/// any other sleep ends it.
final class PowerManagementEvents: BusDevice {
  static let port: UInt64 = 0x600
  static let ports: Range<UInt64> = port..<port + 8
  /// Where the control register lies.
  static let control: UInt64 = 4

  struct State: Hashable, Sendable {
    var enable: UInt16 = 0
    /// SCI_EN: what PC firmware leaves on.
    var control: UInt16 = 1
  }

  private static let sleepEnable: UInt16 = 1 << 13
  private let state = Mutex(State())
  private let sleep: SleepState
  private let stop: StopSwitch

  init(sleep: SleepState, stop: StopSwitch) {
    self.sleep = sleep
    self.stop = stop
  }

  func read(_ access: BusAccess) -> UInt64 {
    let registers = state.withLock { UInt64($0.enable) << 16 | UInt64($0.control) << 32 }
    return registers >> (8 * access.offset)
  }

  func write(_ value: UInt64, _ access: BusAccess) {
    let word = UInt16(truncatingIfNeeded: value)
    switch access.offset {
    case 2: state.withLock { $0.enable = word }
    case Self.control:
      state.withLock { $0.control = word & ~Self.sleepEnable }
      guard word & Self.sleepEnable != 0 else { return }
      if word >> 10 & 7 == SleepState.type { return sleep.enter(on: access.vcpu) }
      stop.stop(.systemEvent("sleep of type \(word >> 10 & 7)", vcpu: access.vcpu))
    default: break
    }
  }
}
