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
  let display: DisplayController
  let hyperV: HyperVConnections?
  let stop: StopSwitch

  var portDevices: [(range: Range<UInt64>, device: any BusDevice)] {
    [
      (SerialPort.ports, serial),
      (DisplayController.ports, display),
      (DebugExitPort.ports, DebugExitPort(stop: stop)),
      (ResetControl.keyboardController, ResetControl(.keyboardController, stop: stop)),
      (ResetControl.resetRegister, ResetControl(.resetRegister, stop: stop)),
      (
        CommandPort.ports,
        CommandPort(memory: memory, layout: layout, interrupts: interrupts, progress: progress, stop: stop)
      ),
    ] + pitDevices(reinjects: true)
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

/// What a machine's devices are reached by: the port bus and the memory bus; and those of them whose states are kept.
struct PluggedDevices {
  let ports: Bus
  let addresses: Bus
  let stateful: [any StatefulDevice]
}

extension DefaultDevices {
  /// The PCI bus of a machine of that profile with these functions; nil where it has none.
  private func pciBus(
    _ configuration: MachineConfiguration, _ functions: [UInt8: any PCIFunction]
  ) -> PCIBus? {
    var functions = functions
    guard !functions.isEmpty || configuration.profile == .linux else { return nil }
    functions[HostBridge.place] = HostBridge()
    return PCIBus(functions: functions)
  }

  /// The devices of a machine of that profile, on their buses.
  ///
  /// - Parameters:
  ///   - configuration: what the machine is made of.
  ///   - virtio: its virtio devices.
  ///   - attached: the devices of the machine's owner.
  func plugged(
    _ configuration: MachineConfiguration, _ virtio: VirtioDevices, _ attached: [AttachedDevice]
  ) throws(MachineError) -> PluggedDevices {
    var (ports, addresses) = (portDevices, interruptControllers)
    var stateful: [any StatefulDevice] = [serial, progress]
    var functions = virtio.places
    if let platform = configuration.profile.unitTest {
      let unitTest = UnitTestDevices(platform, on: self)
      (ports, addresses) = (unitTest.portDevices, unitTest.memoryDevices)
      let test = try kvmCall { () throws(KVMError) in try PCITestDevice(vm: vm, interrupts: interrupts) }
      functions[PCITestDevice.place] = test
      stateful += unitTest.stateful + [test]
    } else if configuration.profile == .linux {
      let linux = LinuxDevices(on: self)
      (ports, addresses) = (linux.portDevices, linux.memoryDevices)
      stateful += linux.stateful
    }
    if let pci = pciBus(configuration, functions) {
      ports += pci.portDevices
      addresses += pci.memoryDevices
      stateful.append(pci)
    }
    stateful += virtio.functions
    for device in attached {
      try device.validate(configuration, memory: memory)
      switch device.place {
      case .ports(let range): ports.append((range, device.device))
      case .addresses(let range): addresses.append((range, device.device))
      }
    }
    do throws(BusError) {
      return PluggedDevices(
        ports: try Bus(name: "port", devices: ports), addresses: try Bus(name: "memory", devices: addresses),
        stateful: stateful)
    } catch {
      throw .configuration(error.description)
    }
  }
}

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

  /// What they are.
  static let kinds: [any RegisterDevice.Type] = [
    RealTimeClock.self, PowerManagementEvents.self, PowerManagementTimer.self,
  ]
}
