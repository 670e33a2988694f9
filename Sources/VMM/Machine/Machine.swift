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

  let hooks: MachineHooks
  let inboxes: [VCPUInbox]
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
  ///   - hooks: what the machine's owner wants to do itself.
  /// - Throws: `MachineError` for a configuration or an image that cannot be, and for what KVM refuses.
  public init(
    _ configuration: MachineConfiguration, image: GuestImage, on system: System, console: Console,
    hooks: MachineHooks = MachineHooks()
  ) throws(MachineError) {
    self.configuration = configuration
    self.console = console
    self.hooks = hooks
    try configuration.validate(on: system)
    let parts = try MachineParts(configuration, hooks: hooks, system: system)
    vm = parts.vm
    vcpus = parts.vcpus
    memory = parts.memory
    layout = parts.layout
    interrupts = InterruptController(vm: vm, irqChip: configuration.irqChip)
    log = GuestLog(memory: memory, layout: layout)
    stop = try kvmCall { () throws(KVMError) in try StopSwitch() }
    clock = try kvmCall { [vcpus] () throws(KVMError) in try GuestClock(vcpus[0]) }
    inboxes = try kvmCall { [vcpus] () throws(KVMError) in
      var inboxes: [VCPUInbox] = []
      for _ in vcpus { inboxes.append(try VCPUInbox()) }
      return inboxes
    }
    let devices = DefaultDevices(
      vm: vm, vcpus: vcpus, irqChip: configuration.irqChip, memory: memory, layout: layout, interrupts: interrupts,
      progress: progress, console: console, stop: stop)
    (ports, addresses) = try devices.buses(configuration)
    try load(image)
  }
}
