import KVM

extension Machine {
  /// What the devices of this process hold. While the machine is paused, or does not run.
  public func deviceStates() -> [DeviceState] { [serial.save(), progress.save()] }

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
        switch state.name {
        case SerialConsole.stateName: try serial.restore(state)
        case GuestProgress.stateName: try progress.restore(state)
        default: throw DeviceStateError(device: state.name, problem: "this machine has no such device")
        }
      }
    } catch {
      throw .device(error)
    }
  }
}
