public import KVM

/// What a machine that ran before is made again from, apart from the state of its vCPUs and chips: see
/// `Machine.init(rebuilding:memory:on:console:hooks:restore:)`.
public struct MachineBlueprint: Sendable {
  /// What it was built from.
  public var configuration: MachineConfiguration
  /// What KVM was told of it.
  public var settings: MachineSettings
  /// What CPUID answers, by vCPU.
  public var cpuid: [[CPUIDEntry]]
  /// The IOAPIC of a split irqchip.
  public var splitIOAPIC: SplitIOAPICState?
  /// The devices of this process.
  public var devices: [DeviceState]

  /// A blueprint.
  public init(
    configuration: MachineConfiguration, settings: MachineSettings, cpuid: [[CPUIDEntry]],
    splitIOAPIC: SplitIOAPICState? = nil, devices: [DeviceState] = []
  ) {
    self.configuration = configuration
    self.settings = settings
    self.cpuid = cpuid
    self.splitIOAPIC = splitIOAPIC
    self.devices = devices
  }
}

/// A machine that KVM has just made, whose vCPUs and chips are to be given their state.
public struct RawMachine: Sendable {
  /// KVM's side of it.
  public let vm: VirtualMachine
  /// Its vCPUs, by index.
  public let vcpus: [VCPU]
  /// Its memory, which its guest's state refers to.
  public let memory: GuestMemory
  /// The routes and eventfds.
  public let interrupts: InterruptController
}

extension Machine {
  /// What the devices of this process hold. While the machine is paused, or does not run.
  public func deviceStates() -> [DeviceState] {
    statefulDevices.map { $0.save() } + [display.save()].compactMap { $0 }
  }

  /// What the IOAPIC of a split irqchip holds; nil where it is in the kernel.
  public var splitIOAPIC: SplitIOAPICState? {
    if case .split(let ioapic) = interrupts.irqChip { ioapic.state } else { nil }
  }

  /// Gives the devices what they held.
  func restoreDevices(_ blueprint: MachineBlueprint) throws(MachineError) {
    if case .split(let ioapic) = interrupts.irqChip, let state = blueprint.splitIOAPIC {
      try kvmCall { () throws(KVMError) in try ioapic.restore(state) }
    }
    do throws(DeviceStateError) {
      for state in blueprint.devices {
        if state.name == DisplayController.stateName {
          try display.restore(state)
        } else if let device = statefulDevices.first(where: { $0.stateName == state.name }) {
          try device.restore(state)
        } else {
          throw DeviceStateError(device: state.name, problem: "this machine has no such device")
        }
      }
    } catch {
      throw .device(error)
    }
  }
}
