public import KVM
import Support
import SystemPackage
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

/// Where a state was taken: what a person wants to know of it when another host refuses it.
public struct HostIdentity: Hashable, Sendable {
  /// The kernel's release, such as `6.18.0`.
  public var kernel = ""
  /// KVM's vendor module, such as `kvm_intel`.
  public var backEnd = ""
  /// The processor's name.
  public var processor = ""

  /// A host of which nothing is known.
  public init() {}

  /// This host.
  public static let current: HostIdentity = {
    var identity = HostIdentity()
    identity.kernel = Self.line(of: "/proc/sys/kernel/osrelease") { _ in true } ?? ""
    identity.backEnd = BackEnd.loaded()?.moduleName ?? ""
    let model = Self.line(of: "/proc/cpuinfo") { $0.hasPrefix("model name") }
    identity.processor = model.map { String($0.drop { $0 != ":" }.dropFirst(2)) } ?? ""
    return identity
  }()

  /// The first line that is wanted, of the beginning of a file.
  private static func line(of path: FilePath, where isWanted: (Substring) -> Bool) -> String? {
    HostFile.text(path, atMost: 4096)?.split(separator: "\n").first(where: isWanted).map(String.init)
  }
}

/// One moment on the clocks that a machine's state counts in.
///
/// Guest time stands still between a capture and a restore: TSC and kvmclock go on from these values, a timer has as much
/// of its time left as it had.
public struct TimeState: Hashable, Sendable {
  /// The host's TSC.
  public var hostTSC: UInt64 = 0
  /// The host's monotonic clock, in nanoseconds, which the PIT's load times count in.
  public var hostMonotonic: UInt64 = 0
  /// kvmclock.
  public var clock = ClockState(nanoseconds: 0)

  /// All clocks at 0.
  public init() {}
}

/// The file with guest memory that belongs to a state.
public struct MemoryReference: Hashable, Sendable {
  /// Its name, beside the state's own file.
  public var file: String
  /// What both files carry, so that they are not taken for a pair by accident.
  public var id: UInt64
  /// The size of guest memory in bytes.
  public var size: UInt64
  /// How many pages of 4096 bytes the file has: those that are not all zero.
  public var pages: UInt64
  /// The CRC-32C of the file's header and table of runs, which has those of the pages.
  public var checksum: UInt32

  /// A reference to a file.
  public init(file: String, id: UInt64, size: UInt64, pages: UInt64, checksum: UInt32) {
    self.file = file
    self.id = id
    self.size = size
    self.pages = pages
    self.checksum = checksum
  }
}

/// An irqfd, with what was signalled and not yet taken.
public struct IRQFDState: Hashable, Sendable {
  /// The interrupt that it raises.
  public var gsi: UInt32
  /// What the event's counter holds.
  public var pending: UInt64 = 0
  /// What the counter of the resample event holds; nil for an irqfd without one.
  public var resamplePending: UInt64?
  /// Whether the machine itself writes to it, for a guest that asked.
  public var isOwnedByVMM = false
  /// The number of its event, where ioeventfds signal the same; nil for one of its own.
  public var event: UInt32?

  /// An irqfd on a GSI.
  public init(gsi: UInt32) { self.gsi = gsi }
}

/// An ioeventfd, with what the guest signalled and nobody took yet.
public struct IOEventState: Hashable, Sendable {
  /// Where the guest writes.
  public var address: IOEventAddress
  /// The length of the write in bytes, 0 for any.
  public var length: UInt32 = 0
  /// The only value that signals; nil for any.
  public var match: UInt64?
  /// What the event's counter holds.
  public var pending: UInt64 = 0
  /// The number of its event, where an irqfd or other ioeventfds have the same; nil for one of its own. What the counter
  /// holds is then with the first of them, irqfds before ioeventfds.
  public var event: UInt32?

  /// An ioeventfd at an address.
  public init(address: IOEventAddress) { self.address = address }
}
