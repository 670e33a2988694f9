import KVM

/// The devices of the default machine, in the one place where they are plugged in.
struct DefaultDevices {
  let vm: VirtualMachine
  let irqChip: MachineConfiguration.IRQChip
  let memory: GuestMemory
  let layout: BootLayout
  let interrupts: InterruptController
  let progress: GuestProgress
  let serial: SerialConsole
  let stop: StopSwitch

  func portBus() throws(BusError) -> Bus {
    var devices: [(range: Range<UInt64>, device: any BusDevice)] = [
      (SerialConsole.ports, serial),
      (DebugExitPort.ports, DebugExitPort(stop: stop)),
      (ResetControl.keyboardController, ResetControl(.keyboardController, stop: stop)),
      (ResetControl.resetRegister, ResetControl(.resetRegister, stop: stop)),
      (
        CommandPort.ports,
        CommandPort(memory: memory, layout: layout, interrupts: interrupts, progress: progress, stop: stop)
      ),
    ]
    if irqChip == .kernel {
      let pit = LazyPIT(vm: vm, stop: stop)
      for range in [LazyPIT.counters, LazyPIT.systemControl] { devices.append((range, pit.device(at: range))) }
    }
    return try Bus(name: "port", devices: devices)
  }

  func memoryBus() throws(BusError) -> Bus {
    try Bus(
      name: "memory",
      devices: irqChip == .split ? [(SplitIOAPIC.addresses, SplitIOAPIC(interrupts: interrupts, stop: stop))] : [])
  }
}
