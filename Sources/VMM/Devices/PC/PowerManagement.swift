import KVM
import Synchronization

/// The ACPI event and control registers of PIIX4, which the FADT points to: fixed events that never come, and the register
/// that puts a machine to sleep (ACPI specification, sections 4.8.3.1 and 4.8.3.2). The real-time clock wakes it from S3;
/// any other sleep ends it.
final class PowerManagementEvents: BusDevice {
  static let port: UInt64 = 0x600
  static let ports: Range<UInt64> = port..<port + 8
  /// Where the control register lies.
  static let control: UInt64 = 4
  /// The sleep type of S5, where that switches the machine off.
  static let switchOffType: UInt16 = 5
  static let stateName = "power"

  struct State: Hashable, Sendable {
    var enable: UInt16 = 0
    /// SCI_EN: what PC firmware leaves on.
    var control: UInt16 = 1
  }

  private static let sleepEnable: UInt16 = 1 << 13
  private let state = Mutex(State())
  private let sleep: SleepState?
  private let stop: StopSwitch

  /// The registers.
  ///
  /// - Parameters:
  ///   - sleep: what S3 does; nil for a machine that has S5 alone.
  ///   - stop: ends the machine.
  init(sleep: SleepState?, stop: StopSwitch) {
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
      if let sleep, word >> 10 & 7 == SleepState.type { return sleep.enter(on: access.vcpu) }
      if sleep == nil, word >> 10 & 7 == Self.switchOffType { return stop.stop(.poweredOff(vcpu: access.vcpu)) }
      stop.stop(.systemEvent("sleep of type \(word >> 10 & 7)", vcpu: access.vcpu))
    default: break
    }
  }
}

/// The ACPI power management timer: 24 bits that count at 3.579545 MHz (ACPI specification, section 4.8.3.3).
final class PowerManagementTimer: BusDevice {
  static let port: UInt64 = 0x608
  static let ports: Range<UInt64> = port..<port + 4
  static let frequency: UInt64 = 3_579_545
  static let stateName = "power-timer"

  private let start = Mutex(ContinuousClock.now)

  /// How long it has counted, in this machine and those that it was restored from.
  private var age: Duration { start.withLock { $0.duration(to: .now) } }

  func read(_ access: BusAccess) -> UInt64 { Self.count(after: age) >> (8 * access.offset) }

  /// It cannot be set.
  func write(_ value: UInt64, _ access: BusAccess) {}

  /// What the timer shows a while after it began.
  static func count(after time: Duration) -> UInt64 {
    let (seconds, attoseconds) = time.components
    let ticks =
      UInt64(clamping: seconds) &* frequency &+ UInt64(clamping: attoseconds / 1_000_000_000) &* frequency
      / 1_000_000_000
    return ticks & 0xff_ffff
  }
}

extension PowerManagementEvents: RegisterDevice {
  var held: State {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

extension PowerManagementEvents.State: DeviceRegisters {
  init(_ saved: DeviceState) throws(DeviceStateError) {
    self.init(
      enable: UInt16(truncatingIfNeeded: try saved.value("enable", upTo: 0xffff)),
      control: UInt16(truncatingIfNeeded: try saved.value("control", upTo: 0xffff)))
  }

  var fields: [String: [UInt64]] { ["enable": [UInt64(enable)], "control": [UInt64(control)]] }
}

extension PowerManagementTimer: RegisterDevice {
  /// How long the timer has counted.
  struct State: DeviceRegisters {
    var age: Duration

    init(age: Duration) { self.age = age }

    /// A century at most.
    init(_ saved: DeviceState) throws(DeviceStateError) {
      age = .nanoseconds(Int64(truncatingIfNeeded: try saved.value("nanoseconds", upTo: 3_155_760_000_000_000_000)))
    }

    var fields: [String: [UInt64]] { ["nanoseconds": [UInt64(clamping: Int64(age / .nanoseconds(1)))]] }
  }

  var held: State {
    get { State(age: age) }
    set { start.withLock { $0 = .now - newValue.age } }
  }
}

/// ACPI's sleep state S3 on the unit tests' PC: the vCPU that enters it stays in the VMM until the real-time clock's alarm
/// goes off, and then begins anew in real mode at the FACS's waking vector, as firmware would have it (ACPI specification,
/// sections 5.2.10 and 16.3).
///
/// Other vCPUs are left alone: a guest has to park them before.
struct SleepState: Sendable {
  /// The sleep type that PIIX4 has for S3.
  static let type: UInt16 = 1
  /// Where the FACS has the waking vector.
  private static let wakingVector: UInt64 = 12

  let vcpus: [VCPU]
  let memory: GuestMemory
  let clock: RealTimeClock
  let stop: StopSwitch

  /// Sleeps and wakes, on the vCPU's own thread; returns without having woken it where the machine is stopped.
  func enter(on vcpu: Int) {
    // The guest may have been stopped, or have no alarm: whoever stops the machine ends this wait too.
    while !stop.isStopped {
      let wait = clock.timeToAlarm
      if let wait, wait <= .zero { break }
      _ = stop.wait(atMost: wait ?? .seconds(1))
    }
    guard !stop.isStopped, vcpus.indices.contains(vcpu) else { return }
    do throws(KVMError) {
      let vector = (try? memory.load(UInt32.self, at: ACPITables.facs + Self.wakingVector)) ?? 0
      var state = try InitialState(of: vcpus[vcpu])
      state.reset()
      state.enterRealMode(at: UInt64(vector))
      try state.apply(to: vcpus[vcpu])
    } catch {
      stop.stop(.runFailed(error, vcpu: vcpu))
    }
  }
}
