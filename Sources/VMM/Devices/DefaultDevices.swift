import KVM

/// The devices of the default machine, in the one place where they are plugged in.
struct DefaultDevices {
  let vm: VirtualMachine
  let vcpus: [VCPU]
  let memory: GuestMemory
  let layout: BootLayout
  let interrupts: InterruptController
  let progress: GuestProgress
  let serial: SerialPort
  let stop: StopSwitch

  func portBus() throws(BusError) -> Bus {
    var devices: [(range: Range<UInt64>, device: any BusDevice)] = [
      (SerialPort.ports, serial),
      (DebugExitPort.ports, DebugExitPort(stop: stop)),
      (ResetControl.keyboardController, ResetControl(.keyboardController, stop: stop)),
      (ResetControl.resetRegister, ResetControl(.resetRegister, stop: stop)),
      (
        CommandPort.ports,
        CommandPort(memory: memory, layout: layout, interrupts: interrupts, progress: progress, stop: stop)
      ),
    ]
    devices += pitDevices(reinjects: true)
    return try Bus(name: "port", devices: devices)
  }

  func memoryBus() throws(BusError) -> Bus {
    try Bus(name: "memory", devices: interruptControllers)
  }

  /// What of the interrupt controllers is in this process.
  var interruptControllers: [(range: Range<UInt64>, device: any BusDevice)] {
    switch interrupts.irqChip {
    case .kernel: []
    case .split(let ioapic): [(SplitIOAPIC.addresses, ioapic)]
    }
  }

  /// The PIT, which is in the kernel and needs all other chips to be there.
  func pitDevices(reinjects: Bool) -> [(range: Range<UInt64>, device: any BusDevice)] {
    guard case .kernel = interrupts.irqChip else { return [] }
    let pit = LazyPIT(vm: vm, stop: stop, reinjects: reinjects)
    return [LazyPIT.counters, LazyPIT.systemControl].map { ($0, pit.device(at: $0)) }
  }
}

extension DefaultDevices {
  /// The port bus and the memory bus of a machine of that profile.
  func buses(_ configuration: MachineConfiguration) throws(MachineError) -> (ports: Bus, addresses: Bus) {
    var unitTest: UnitTestDevices?
    if let platform = configuration.profile.unitTest {
      unitTest = try kvmCall { () throws(KVMError) in
        try UnitTestDevices(platform, on: self)
      }
    }
    do throws(BusError) {
      guard let unitTest else { return (try portBus(), try memoryBus()) }
      return (try unitTest.portBus(), try unitTest.memoryBus())
    } catch {
      throw .configuration(error.description)
    }
  }
}
