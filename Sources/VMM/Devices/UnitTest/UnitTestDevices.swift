import KVM
import Synchronization

/// The devices of the unit tests' PC, in the one place where they are plugged in.
struct UnitTestDevices {
  private let base: DefaultDevices
  private let platform: UnitTestPlatform
  private let firmware: FirmwareConfiguration
  private let keyboard: KeyboardController
  private let latch = TestLatch()
  private let testMemory = TestMemory()
  private let clock = RealTimeClock()
  private let events: PowerManagementEvents
  private let timer = PowerManagementTimer()
  private let highPrecisionTimer = HighPrecisionEventTimer()
  private let systemControl: SystemControlPortA
  private let shutdown: ShutdownPort

  init(_ platform: UnitTestPlatform, on base: DefaultDevices) {
    self.base = base
    self.platform = platform
    firmware = FirmwareConfiguration(
      items: FirmwareItems(memory: base.memory, vcpus: base.vcpus.count), memory: base.memory)
    keyboard = KeyboardController(stop: base.stop)
    events = PowerManagementEvents(
      sleep: SleepState(vcpus: base.vcpus, memory: base.memory, clock: clock, stop: base.stop), stop: base.stop)
    systemControl = SystemControlPortA(stop: base.stop)
    shutdown = ShutdownPort(stop: base.stop)
  }

  var portDevices: [(range: Range<UInt64>, device: any BusDevice)] {
    var devices: [(range: Range<UInt64>, device: any BusDevice)] = [
      (SerialPort.ports, base.serial),
      (DebugExitPort.ports, DebugExitPort(stop: base.stop)),
      (TestLines.ports, TestLines(interrupts: base.interrupts, stop: base.stop)),
      (TestLatch.ports, latch), (TestLatch.mirror, latch),
      (PageFlush.ports, PageFlush()),
      (PowerManagementEvents.ports, events),
      (PowerManagementTimer.ports, timer),
      (RealTimeClock.ports, clock),
      (KeyboardController.data, keyboard.port(isCommand: false)),
      (KeyboardController.command, keyboard.port(isCommand: true)),
      (SystemControlPortA.ports, systemControl),
      (ResetControl.resetRegister, ResetControl(.resetRegister, stop: base.stop)),
      (ShutdownPort.ports, shutdown),
    ]
    devices += firmware.portDevices
    if let hyperV = base.hyperV {
      devices.append(
        (HyperVTestDevice.ports, HyperVTestDevice(hyperV, vcpus: base.vcpus.count, stop: base.stop)))
    }
    // Ticks that nobody took are dropped: to deliver them late, KVM would have to see every EOI.
    if platform.hasPIT { devices += base.pitDevices(reinjects: false) }
    return devices
  }

  var memoryDevices: [(range: Range<UInt64>, device: any BusDevice)] {
    base.interruptControllers + [
      (TestMemory.addresses, testMemory), (HighPrecisionEventTimer.addresses, highPrecisionTimer),
    ]
  }

  /// What of it a snapshot keeps the state of, the PCI device among them.
  static let kinds: [any RegisterDevice.Type] = [
    FirmwareConfiguration.self, KeyboardController.self, TestLatch.self, TestMemory.self, RealTimeClock.self,
    PowerManagementEvents.self, PowerManagementTimer.self, HighPrecisionEventTimer.self, SystemControlPortA.self,
    ShutdownPort.self, PCITestDevice.self,
  ]

  /// Those, but for the PCI device.
  var stateful: [any StatefulDevice] {
    [
      firmware, keyboard, latch, testMemory, clock, events, timer, highPrecisionTimer, systemControl, shutdown,
    ]
  }
}

/// The interrupt lines of QEMU's pc-testdev: a write to port 0x2000 + n sets the level of GSI n.
final class TestLines: BusDevice {
  static let ports: Range<UInt64> = 0x2000..<0x2018

  private let interrupts: InterruptController
  private let stop: StopSwitch

  init(interrupts: InterruptController, stop: StopSwitch) {
    self.interrupts = interrupts
    self.stop = stop
  }

  func read(_ access: BusAccess) -> UInt64 { 0 }

  func write(_ value: UInt64, _ access: BusAccess) {
    do throws(KVMError) {
      try interrupts.setLine(UInt32(access.offset), to: value != 0)
    } catch {
      stop.stop(.runFailed(error, vcpu: access.vcpu))
    }
  }
}

/// The latch of QEMU's pc-testdev: four bytes that read as they were written, at port 0xe0 and again at port 0xe8.
final class TestLatch: BusDevice {
  static let ports: Range<UInt64> = 0xe0..<0xe4
  static let mirror: Range<UInt64> = 0xe8..<0xec
  static let stateName = "latch"

  struct State: Hashable, Sendable {
    var value: UInt32 = 0
  }

  let state = Mutex(State())

  func read(_ access: BusAccess) -> UInt64 {
    UInt64(state.withLock { $0.value }) >> (8 * access.offset)
  }

  func write(_ value: UInt64, _ access: BusAccess) {
    state.withLock { state in
      for byte in 0..<UInt64(access.width) where access.offset + byte < 4 {
        let shift = UInt32(8 * (access.offset + byte))
        let part = UInt32(truncatingIfNeeded: value >> (8 * byte)) & 0xff
        state.value = state.value & ~(0xff << shift) | part << shift
      }
    }
  }
}

/// The memory of QEMU's pc-testdev: 64 KiB that the guest reaches only through the VMM, for instructions that access a
/// device.
final class TestMemory: BusDevice {
  static let size = 64 << 10
  static let addresses: Range<UInt64> = 0xff00_0000..<0xff00_0000 + UInt64(size)
  static let stateName = "test-memory"

  struct State: Hashable, Sendable {
    var bytes = [UInt8](repeating: 0, count: TestMemory.size)
  }

  let state = Mutex(State())

  func read(_ access: BusAccess) -> UInt64 {
    state.withLock { state in
      var value: UInt64 = 0
      for index in 0..<min(access.width, 8) {
        let place = Int(access.offset) + index
        if place < Self.size { value |= UInt64(state.bytes[place]) << UInt64(8 * index) }
      }
      return value
    }
  }

  func write(_ value: UInt64, _ access: BusAccess) {
    state.withLock { state in
      for index in 0..<min(access.width, 8) {
        let place = Int(access.offset) + index
        if place < Self.size { state.bytes[place] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
      }
    }
  }
}

/// The page flush of QEMU's pc-testdev: the address of a page that KVM is to forget the translation of, written to port
/// 0xe4. QEMU changes the page's protection back and forth; here the next access finds the translation still there, which
/// a guest can tell only by what it costs.
final class PageFlush: BusDevice {
  static let ports: Range<UInt64> = 0xe4..<0xe8

  func read(_ access: BusAccess) -> UInt64 { 0 }
  func write(_ value: UInt64, _ access: BusAccess) {}
}

/// Bochs's port 0x8900: the text "Shutdown", a byte at a time, ends the machine.
final class ShutdownPort: BusDevice {
  static let ports: Range<UInt64> = 0x8900..<0x8901
  static let stateName = "shutdown"

  struct State: Hashable, Sendable {
    /// How many of the text's bytes have come in a row.
    var matched = 0
  }

  static let text = Array("Shutdown".utf8)
  let state = Mutex(State())
  private let stop: StopSwitch

  init(stop: StopSwitch) { self.stop = stop }

  func read(_ access: BusAccess) -> UInt64 { .max }

  func write(_ value: UInt64, _ access: BusAccess) {
    let byte = UInt8(truncatingIfNeeded: value)
    let isComplete = state.withLock { state in
      state.matched = byte == Self.text[state.matched] ? state.matched + 1 : byte == Self.text[0] ? 1 : 0
      guard state.matched == Self.text.count else { return false }
      state.matched = 0
      return true
    }
    if isComplete { stop.stop(.systemEvent("shutdown through port 0x8900", vcpu: access.vcpu)) }
  }
}
