/// The devices of the unit tests' PC, in the one place where they are plugged in.
struct UnitTestDevices {
  private let base: DefaultDevices
  private let platform: UnitTestPlatform
  private let firmware: FirmwareConfiguration
  private let keyboard: KeyboardController

  init(_ platform: UnitTestPlatform, on base: DefaultDevices) {
    self.base = base
    self.platform = platform
    firmware = FirmwareConfiguration(
      items: FirmwareItems(memory: base.memory, vcpus: base.vcpus.count), memory: base.memory)
    keyboard = KeyboardController(stop: base.stop)
  }

  var portDevices: [(range: Range<UInt64>, device: any BusDevice)] {
    let latch = TestLatch()
    let clock = RealTimeClock()
    let sleep = SleepState(vcpus: base.vcpus, memory: base.memory, clock: clock, stop: base.stop)
    var devices: [(range: Range<UInt64>, device: any BusDevice)] = [
      (SerialPort.ports, base.serial),
      (DebugExitPort.ports, DebugExitPort(stop: base.stop)),
      (TestLines.ports, TestLines(interrupts: base.interrupts, stop: base.stop)),
      (TestLatch.ports, latch), (TestLatch.mirror, latch),
      (PageFlush.ports, PageFlush()),
      (PowerManagementEvents.ports, PowerManagementEvents(sleep: sleep, stop: base.stop)),
      (PowerManagementTimer.ports, PowerManagementTimer()),
      (RealTimeClock.ports, clock),
      (KeyboardController.data, keyboard.port(isCommand: false)),
      (KeyboardController.command, keyboard.port(isCommand: true)),
      (SystemControlPortA.ports, SystemControlPortA(stop: base.stop)),
      (ResetControl.resetRegister, ResetControl(.resetRegister, stop: base.stop)),
      (ShutdownPort.ports, ShutdownPort(stop: base.stop)),
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
      (TestMemory.addresses, TestMemory()), (HighPrecisionEventTimer.addresses, HighPrecisionEventTimer()),
    ]
  }
}
