/// The devices of a machine for Linux, in the one place where they are plugged in.
struct LinuxDevices {
  private let base: DefaultDevices
  private let clock = RealTimeClock()
  private let events: PowerManagementEvents
  private let timer = PowerManagementTimer()

  init(on base: DefaultDevices) {
    self.base = base
    events = PowerManagementEvents(sleep: nil, stop: base.stop)
  }

  var portDevices: [(range: Range<UInt64>, device: any BusDevice)] {
    [
      (SerialPort.ports, base.serial),
      (DebugExitPort.ports, DebugExitPort(stop: base.stop)),
      (RealTimeClock.ports, clock),
      (PowerManagementEvents.ports, events),
      (PowerManagementTimer.ports, timer),
      (ResetControl.keyboardController, ResetControl(.keyboardController, stop: base.stop)),
      (ResetControl.resetRegister, ResetControl(.resetRegister, stop: base.stop)),
    ] + base.pitDevices(reinjects: true)
  }

  var memoryDevices: [(range: Range<UInt64>, device: any BusDevice)] { base.interruptControllers }

  /// Those whose state a snapshot keeps, beside those of every machine.
  var stateful: [any StatefulDevice] { [clock, events, timer] }
}
