public import KVM
public import VMM

/// Everything that a machine's interrupts depend on, at one moment: what `Machine.capture` takes and a machine is made
/// again from.
///
/// It is a value: two of them can be compared, and none refers to a machine. Guest memory is beside it (`MemoryImage`).
public struct MachineState: Hashable, Sendable {
  /// The guest's name, as a person gave it.
  public var guest = ""
  /// When it was taken, in nanoseconds since 1970.
  public var captured: UInt64 = 0
  /// Where it was taken.
  public var host = HostIdentity()
  /// What the machine was built from.
  public var configuration = MachineConfiguration()
  /// What KVM was told of the machine and does not tell back: capabilities, the boot CPU, the routes, ...
  public var settings = MachineSettings()
  /// The moment on the clocks that the state counts in.
  public var time = TimeState()
  /// The vCPUs, by index.
  public var vcpus: [VCPUState] = []
  /// The two PICs, where they are in the kernel.
  public var pics: PICPair?
  /// The IOAPIC, where it is in the kernel.
  public var ioapic: IOAPICState?
  /// The interval timer, where there is one in the kernel.
  public var pit: PITState?
  /// The IOAPIC of a split irqchip.
  public var splitIOAPIC: SplitIOAPICState?
  /// The irqfds, in the order in which they were assigned.
  public var irqfds: [IRQFDState] = []
  /// The ioeventfds, in the order in which they were assigned.
  public var ioEvents: [IOEventState] = []
  /// The devices in the VMM's own process.
  public var devices: [DeviceState] = []
  /// The file with guest memory; nil for a state that stands alone.
  public var memory: MemoryReference?

  /// A machine without vCPUs.
  public init() {}

  /// Where every GSI leads: the table that was set, or else KVM's own.
  public var routes: [GSIRoute] { settings.routes ?? (settings.hasIRQChip ? GSIRoute.defaults : []) }

  /// The two 8259A of a PC.
  public struct PICPair: Hashable, Sendable {
    /// IRQs 0 to 7.
    public var master: PICState
    /// IRQs 8 to 15.
    public var slave: PICState

    /// A pair.
    public init(master: PICState, slave: PICState) {
      self.master = master
      self.slave = slave
    }
  }
}
