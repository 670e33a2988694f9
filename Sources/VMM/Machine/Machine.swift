public import KVM
public import Synchronization

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

  /// A debugger's hold on it.
  public let debug: DebugControl
  /// What its image calls its functions; nil where it does not say.
  let symbolTable = Mutex<SymbolTable?>(nil)
  /// Held while the machine's state is taken, which takes its eventfds away for a moment: one thread at a time may.
  public let captures = Mutex<Void>(())

  let hooks: MachineHooks
  let gate: PauseGate
  let moments = MomentWatch()
  /// The moment that it is to be paused at, from its start until somebody waits for it.
  let pauseToCome = Mutex<ExpectedMoment?>(nil)
  /// COM1.
  public let serial: SerialPort
  let inboxes: [VCPUInbox]
  let layout: BootLayout
  let display = DisplayController()
  /// Hyper-V's hypercalls; nil where the guest is not told of its interrupt controller.
  let hyperV: HyperVConnections?
  let virtio: VirtioDevices
  let ports: Bus
  let addresses: Bus
  /// The devices whose states are kept, apart from the display, which has one only where it was touched.
  let statefulDevices: [any StatefulDevice]

  /// Builds a machine and loads its guest. Nothing runs before `run`.
  ///
  /// - Parameters:
  ///   - configuration: what it is made of.
  ///   - image: the program.
  ///   - system: the host's KVM.
  ///   - console: where the serial port leads.
  ///   - hooks: what the machine's owner wants to do itself.
  /// - Throws: `MachineError` for a configuration or an image that cannot be, and for what KVM refuses.
  public convenience init(
    _ configuration: MachineConfiguration, image: GuestImage, on system: System, console: Console,
    hooks: MachineHooks = MachineHooks()
  ) throws(MachineError) {
    try configuration.validate(on: system)
    let parts = try MachineParts(configuration, hooks: hooks, system: system)
    try self.init(configuration, parts, console: console, hooks: hooks) { _ throws(MachineError) in }
    try load(image)
  }

  /// Makes a machine that ran before again. Nothing runs before `run`.
  ///
  /// - Parameters:
  ///   - blueprint: what it was made from.
  ///   - memory: its memory, with what was in it.
  ///   - system: the host's KVM.
  ///   - console: where the serial port leads.
  ///   - hooks: what the machine's owner wants to do itself; `prepare` is not called, as the blueprint has what it did.
  ///   - restore: gives vCPUs and chips their state.
  /// - Throws: `MachineError` for what this host cannot be or KVM refuses, and what `restore` throws.
  public convenience init(
    rebuilding blueprint: MachineBlueprint, memory: GuestMemory, on system: System, console: Console,
    hooks: MachineHooks = MachineHooks(), restore: (RawMachine) throws(MachineError) -> Void
  ) throws(MachineError) {
    try blueprint.configuration.validate(on: system)
    let parts = try MachineParts(rebuilding: blueprint, memory: memory, system: system)
    try self.init(blueprint.configuration, parts, console: console, hooks: hooks, restore: restore)
    try restoreDevices(blueprint)
  }

  /// - Parameter restore: runs before the guest's clock is tied to the host's.
  private init(
    _ configuration: MachineConfiguration, _ parts: MachineParts, console: Console, hooks: MachineHooks,
    restore: (RawMachine) throws(MachineError) -> Void
  ) throws(MachineError) {
    self.configuration = configuration
    self.console = console
    self.hooks = hooks
    vm = parts.vm
    vcpus = parts.vcpus
    memory = parts.memory
    layout = parts.layout
    stop = try kvmCall { () throws(KVMError) in try StopSwitch() }
    interrupts = InterruptController(
      vm: vm, irqChip: configuration.irqChip, deviceGSIs: VirtioPlace.gsis(ofDevices: configuration.virtio.count),
      stop: stop)
    log = GuestLog(memory: memory, layout: layout)
    gate = try kvmCall { () throws(KVMError) in try PauseGate() }
    debug = try kvmCall { [gate] () throws(KVMError) in try DebugControl(gate: gate) }
    try restore(RawMachine(vm: vm, vcpus: vcpus, memory: memory, interrupts: interrupts))
    clock = try kvmCall { [vcpus] () throws(KVMError) in try GuestClock(vcpus[0]) }
    inboxes = try kvmCall { [vcpus] () throws(KVMError) in
      var inboxes: [VCPUInbox] = []
      for _ in vcpus { inboxes.append(try VCPUInbox()) }
      return inboxes
    }
    serial = SerialPort(console: console) { [interrupts, stop] level in
      do throws(KVMError) {
        try interrupts.setLine(SerialPort.line, to: level)
      } catch {
        stop.stop(.runFailed(error, vcpu: 0))
      }
    }
    hyperV = try kvmCall { [vm, vcpus, memory, interrupts] () throws(KVMError) in
      guard configuration.hasSynIC else { return nil }
      return try HyperVConnections(vm: vm, vcpus: vcpus, memory: memory, interrupts: interrupts)
    }
    let devices = DefaultDevices(
      vm: vm, vcpus: vcpus, memory: memory, layout: layout, interrupts: interrupts, progress: progress, serial: serial,
      display: display, hyperV: hyperV, stop: stop)
    let attached = hooks.devices(DeviceSite(memory: memory, interrupts: interrupts, stop: stop))
    virtio = try VirtioDevices(configuration.virtio, on: devices, gate: gate)
    let plugged = try devices.plugged(configuration, virtio, attached)
    (ports, addresses, statefulDevices) = (plugged.ports, plugged.addresses, plugged.stateful)
  }
}

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
