public import KVM

/// A small PC for one guest: memory, interrupt controllers, vCPUs, and a handful of devices.
///
/// It is built whole and runs once. Everything the guest does is untrusted: no exit of it traps this process, reaches
/// outside of guest memory or allocates without bound.
public final class Machine: Sendable {
  /// What it was built from.
  public let configuration: MachineConfiguration
  /// KVM's side of it.
  public let vm: VirtualMachine
  /// Its vCPUs, by index.
  public let vcpus: [VCPU]
  /// Its RAM.
  public let memory: GuestMemory
  /// Where interrupts from outside come in.
  public let interrupts: InterruptController
  /// What the guest writes down.
  public let log: GuestLog
  /// How far the guest says that it has come.
  public let progress = GuestProgress()
  /// Ends it.
  public let stop: StopSwitch
  /// How guest time relates to host time.
  public let clock: GuestClock

  /// What it prints.
  public let console: Console

  /// When the first vCPU entered the guest, and when all of them had left.
  public let times = RunTimes()

  let layout: BootLayout
  let ports: Bus
  let addresses: Bus

  /// Builds a machine and loads its guest. Nothing runs before `run`.
  ///
  /// - Parameters:
  ///   - configuration: what it is made of.
  ///   - image: the program.
  ///   - system: the host's KVM.
  ///   - console: where the serial port leads.
  /// - Throws: `MachineError` for a configuration or an image that cannot be, and for what KVM refuses.
  public init(
    _ configuration: MachineConfiguration, image: GuestImage, on system: System, console: Console
  ) throws(MachineError) {
    self.configuration = configuration
    self.console = console
    try configuration.validate(on: system)
    let parts = try MachineParts(configuration, system: system)
    vm = parts.vm
    vcpus = parts.vcpus
    memory = parts.memory
    layout = parts.layout
    interrupts = InterruptController(vm: vm, irqChip: configuration.irqChip)
    log = GuestLog(memory: memory, layout: layout)
    let stop = try kvmCall { () throws(KVMError) in try StopSwitch() }
    self.stop = stop
    clock = try kvmCall { [vcpus] () throws(KVMError) in try GuestClock(vcpus[0]) }
    do throws(BusError) {
      ports = try Bus(
        name: "port",
        devices: [
          (SerialConsole.ports, SerialConsole(console: console)),
          (DebugExit.ports, DebugExit(stop: stop)),
          (ResetControl.keyboardController, ResetControl(.keyboardController, stop: stop)),
          (ResetControl.resetRegister, ResetControl(.resetRegister, stop: stop)),
          (
            CommandPort.ports,
            CommandPort(memory: memory, layout: layout, interrupts: interrupts, progress: progress, stop: stop)
          ),
        ])
      addresses = try Bus(
        name: "memory",
        devices: configuration.irqChip == .split
          ? [(SplitIOAPIC.addresses, SplitIOAPIC(interrupts: interrupts, stop: stop))] : [])
    } catch {
      throw .configuration(error.description)
    }
    try load(image)
  }
}
