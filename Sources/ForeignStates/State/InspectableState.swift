public import APIC
public import KVM
public import MachineState
import VMM

/// A machine's state as far as a file holds it: parts of it may be absent.
///
/// Every format is read into this one model, and the inspector, the difference and the rules work on it. A state of
/// Lapwing's own fills it wholly. What is absent has no value: its accessor gives nil, and nothing shows a zero for it.
public struct InspectableState: Hashable, Sendable {
  /// What it was read from.
  public var format: StateFormat
  /// The state. Where a part is absent, what stands here means nothing: ask `knows` first, or use the accessors.
  public var machine: MachineState
  /// The parts of the machine that the file does not hold.
  public var absent: Set<Part>
  /// The parts of each vCPU that the file does not hold, by the vCPU's index.
  public var absentOfVCPUs: [Set<InspectableVCPU.Part>]
  /// What the format itself has to say to a person, such as the machine's name or what was left aside.
  public var remarks: [String] = []

  /// A part of a machine beside its vCPUs.
  public enum Part: Hashable, Sendable, CaseIterable {
    /// That the vCPUs which are there are all that the machine has.
    case allVCPUs
    /// What it was built from: memory, arguments.
    case configuration
    /// What KVM was told of it: capabilities, the boot CPU.
    case settings
    /// Where each GSI leads.
    case routes
    /// irqfds and ioeventfds.
    case events
    /// The host's clocks at the capture.
    case hostClock
    /// kvmclock.
    case guestClock
    /// The two PICs.
    case pics
    /// What of the PICs QEMU's monitor does not print: levels last seen, initialization, automatic EOI.
    case picDetails
    /// The IOAPIC.
    case ioapic
    /// Where the IOAPIC's registers are.
    case ioapicAddress
    /// The interval timer.
    case pit
    /// Devices of the VMM's own process.
    case devices
  }

  /// A state of Lapwing's own, which has every part.
  public init(_ machine: MachineState) {
    format = .lapwing
    self.machine = machine
    absent = []
    absentOfVCPUs = Array(repeating: [], count: machine.vcpus.count)
  }

  /// A state of which nothing is known yet.
  public init(format: StateFormat) {
    self.format = format
    machine = MachineState()
    absent = Set(Part.allCases)
    absentOfVCPUs = []
  }

  /// Whether the file holds a part.
  public func knows(_ part: Part) -> Bool { !absent.contains(part) }

  /// Whether the file holds every part.
  public var isWhole: Bool { absent.isEmpty && absentOfVCPUs.allSatisfy(\.isEmpty) }
}

extension InspectableState {
  /// The vCPUs, by index.
  public var vcpus: [InspectableVCPU] {
    machine.vcpus.indices.map { index in
      InspectableVCPU(
        index: index, values: machine.vcpus[index],
        absent: index < absentOfVCPUs.count ? absentOfVCPUs[index] : [])
    }
  }

  /// Adds a vCPU.
  public mutating func append(_ vcpu: InspectableVCPU) {
    machine.vcpus.append(vcpu.values)
    absentOfVCPUs.append(vcpu.absent)
  }

  /// Adds what is known of a vCPU to what was known of it before.
  ///
  /// - Parameters:
  ///   - index: an index that there is.
  ///   - vcpu: the vCPU as it is now.
  public mutating func replace(_ index: Int, with vcpu: InspectableVCPU) {
    machine.vcpus[index] = vcpu.values
    absentOfVCPUs[index] = vcpu.absent
  }

  /// Takes a part as known.
  public mutating func fill(_ parts: Part...) { absent.subtract(parts) }

  /// The PICs; nil where they are not known, or not in the kernel.
  public var pics: MachineState.PICPair? { knows(.pics) ? machine.pics : nil }
  /// The IOAPIC; nil where it is not known, or not in the kernel.
  public var ioapic: IOAPICState? { knows(.ioapic) ? machine.ioapic : nil }
  /// The entries of the IOAPIC, in the kernel or in the VMM; nil where they are not known, or there is none.
  public var redirectionTable: [RedirectionEntry]? {
    knows(.ioapic) ? (machine.ioapic?.entries ?? machine.splitIOAPIC?.entries) : nil
  }
  /// The interval timer; nil where it is not known, or not in the kernel.
  public var pit: PITState? { knows(.pit) ? machine.pit : nil }
  /// The routes; nil where they are not known.
  public var routes: [GSIRoute]? { knows(.routes) ? machine.routes : nil }
  /// The irqfds; nil where they are not known.
  public var irqfds: [IRQFDState]? { knows(.events) ? machine.irqfds : nil }
  /// The host's monotonic clock at the capture in nanoseconds; nil where it is not known.
  public var hostMonotonic: UInt64? {
    knows(.hostClock) && machine.time.hostMonotonic > 0 ? machine.time.hostMonotonic : nil
  }
  /// kvmclock in nanoseconds; nil where it is not known.
  public var guestClock: UInt64? {
    knows(.guestClock) && machine.time.clock.nanoseconds > 0 ? machine.time.clock.nanoseconds : nil
  }
  /// Whether pages and messages have APIC ids of 32 bits (KVM_X2APIC_API_USE_32BIT_IDS); nil where it is not known.
  public var hasWideIDs: Bool? { knows(.settings) ? machine.hasWideIDs : nil }
}

extension InspectableState.Part {
  /// The part for a person.
  public var words: String {
    switch self {
    case .allVCPUs: "whether there are more vCPUs"
    case .configuration: "what the machine was made of"
    case .settings: "capabilities"
    case .routes: "GSI routes"
    case .events: "irqfds and ioeventfds"
    case .hostClock: "the host's clocks"
    case .guestClock: "kvmclock"
    case .pics: "PIC"
    case .picDetails: "the PICs' initialization and modes"
    case .ioapic: "IOAPIC"
    case .ioapicAddress: "IOAPIC_BASE"
    case .pit: "PIT"
    case .devices: "devices"
    }
  }
}

/// The formats that a state is read from.
public enum StateFormat: String, Hashable, Sendable, CaseIterable, Codable {
  /// `lapwing snapshot`.
  case lapwing
  /// QEMU's migration stream, with or without libvirt's header.
  case qemu
  /// The text of QEMU's monitor.
  case monitor
  /// Register pages of local APICs.
  case pages
  /// Cloud Hypervisor's `state.json`.
  case cloudHypervisor = "cloud-hypervisor"
  /// Firecracker's `vmstate`.
  case firecracker

  /// The format for a person.
  public var words: String {
    switch self {
    case .lapwing: "a machine's state"
    case .qemu: "a migration stream of QEMU"
    case .monitor: "text of QEMU's monitor"
    case .pages: "register pages of local APICs"
    case .cloudHypervisor: "a state of Cloud Hypervisor"
    case .firecracker: "a state of Firecracker"
    }
  }
}

/// What is wrong with a file: its format, the place, and what was expected there.
public struct ForeignStateError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The format that it was read as.
  public var format: StateFormat
  /// How many bytes come before the place; nil where it is no single place.
  public var offset: UInt64?
  /// What is wrong, and what was expected.
  public var problem: String

  /// A problem at a place.
  public init(_ format: StateFormat, at offset: UInt64? = nil, _ problem: String) {
    self.format = format
    self.offset = offset
    self.problem = problem
  }

  /// `a migration stream of QEMU, at byte 0x1c: ...`.
  public var description: String {
    let place = offset.map { ", at byte 0x" + String($0, radix: 16) } ?? ""
    return "\(format.words)\(place): \(problem)"
  }
}
