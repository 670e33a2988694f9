import CKVM
import Synchronization
import SystemPackage

/// A virtual machine: memory slots, interrupt controllers and vCPUs.
///
/// `System.createVM` gives one. KVM serialises its calls, so it can be used from any thread. It keeps the memory of its
/// slots and the events of its irqfds alive, and its vCPUs keep it alive.
public final class VirtualMachine: Sendable {
  /// The KVM it belongs to.
  public let system: System

  let descriptor: OwnedDescriptor
  let slots = Mutex<[UInt32: MemorySlot]>([:])
  /// The events of assigned irqfds, which must stay open: KVM takes the last close of one for its deassignment.
  let assignedIRQFDs = Mutex<[IRQFD]>([])
  let assignedIOEvents = Mutex<[IOEvent]>([])
  let chosen = Mutex(MachineSettings())

  init(_ descriptor: consuming OwnedDescriptor, of system: System) {
    self.descriptor = descriptor
    self.system = system
  }

  deinit { removeFirstMemoryRegion() }

  /// What the machine was told so far and KVM does not tell back.
  public var settings: MachineSettings { chosen.withLock { $0 } }

  /// The irqfds that are assigned, in the order of assignment.
  public var irqfds: [IRQFD] { assignedIRQFDs.withLock { $0 } }

  /// The ioeventfds that are assigned, in the order of assignment.
  public var ioEvents: [IOEvent] { assignedIOEvents.withLock { $0 } }

  /// Creates a vCPU (KVM_CREATE_VCPU).
  ///
  /// With an in-kernel irqchip it has a local APIC; vCPU 0 boots and the others wait for INIT and SIPI, unless
  /// `setBootCPU` chose otherwise.
  ///
  /// - Parameter id: its APIC ID, below KVM_CAP_MAX_VCPU_ID.
  /// - Throws: `KVMError`: EEXIST for an id in use, EINVAL for one out of range, ENOMEM.
  public func createVCPU(id: UInt32) throws(KVMError) -> VCPU {
    let answer = ckvm_create_vcpu(descriptor.rawValue, UInt(id))
    return try VCPU(OwnedDescriptor(.createVCPU, answer, detail: "vCPU \(id)"), id: id, of: self)
  }
}

extension VirtualMachine {
  /// Reads kvmclock (KVM_GET_CLOCK).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func clock() throws(KVMError) -> ClockState {
    var raw = kvm_clock_data()
    // Sound: KVM fills the one structure it is given.
    try attempt(.getClock, unsafe ckvm_get_clock(descriptor.rawValue, &raw))
    return ClockState(raw)
  }

  /// Sets kvmclock (KVM_SET_CLOCK).
  ///
  /// With a wall-clock time, KVM adds what passed since.
  ///
  /// - Throws: `KVMError` with EINVAL on kernels that know no wall-clock time (KVM_CAP_ADJUST_CLOCK).
  public func setClock(_ clock: ClockState) throws(KVMError) {
    var raw = kvm_clock_data()
    raw.clock = clock.nanoseconds
    if let realtime = clock.realtime {
      raw.flags |= UInt32(KVM_CLOCK_REALTIME)
      raw.realtime = realtime
    }
    // Sound: KVM reads the one structure it is given.
    try attempt(.setClock, unsafe ckvm_set_clock(descriptor.rawValue, &raw))
  }

  /// Sets the TSC frequency that new vCPUs start with (KVM_SET_TSC_KHZ on a VM).
  ///
  /// Before the first vCPU.
  ///
  /// - Parameter kHz: in kilohertz, above 0.
  /// - Throws: `KVMError` with EINVAL when the host cannot scale to it or a vCPU exists.
  public func setTSCFrequency(kHz: UInt32) throws(KVMError) {
    try attempt(.setTSCKHz, ckvm_set_tsc_khz(descriptor.rawValue, UInt(kHz)), detail: "\(kHz) kHz")
    chosen.withLock { $0.tscKHz = kHz }
  }

  /// The TSC frequency that new vCPUs start with, in kilohertz (KVM_GET_TSC_KHZ on a VM).
  ///
  /// - Throws: `KVMError` with EINVAL on kernels before 5.18.
  public func tscFrequency() throws(KVMError) -> UInt32 {
    UInt32(try attempt(.getTSCKHz, ckvm_get_tsc_khz(descriptor.rawValue)))
  }
}

/// The paravirtual clock of a machine (KVM API, KVM_GET_CLOCK).
public struct ClockState: Hashable, Sendable {
  /// What the guest's kvmclock shows, in nanoseconds.
  public var nanoseconds: UInt64

  /// The host's wall clock at that moment, in nanoseconds since 1970, when KVM could take both at once.
  public var realtime: UInt64?

  /// The host's TSC at that moment, when KVM could take both at once.
  public var hostTSC: UInt64?

  /// Whether every vCPU sees the same clock.
  public var isStable: Bool

  /// A clock; with `realtime`, setting it advances it by the time that passed since then.
  public init(nanoseconds: UInt64, realtime: UInt64? = nil, hostTSC: UInt64? = nil, isStable: Bool = false) {
    self.nanoseconds = nanoseconds
    self.realtime = realtime
    self.hostTSC = hostTSC
    self.isStable = isStable
  }
}

extension ClockState {
  init(_ raw: kvm_clock_data) {
    func has(_ flag: Int32) -> Bool { raw.flags & UInt32(flag) != 0 }
    self.init(
      nanoseconds: raw.clock, realtime: has(KVM_CLOCK_REALTIME) ? raw.realtime : nil,
      hostTSC: has(KVM_CLOCK_HOST_TSC) ? raw.host_tsc : nil, isStable: has(KVM_CLOCK_TSC_STABLE))
  }
}
