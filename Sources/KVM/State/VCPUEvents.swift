import CKVM
import SystemPackage

/// What is pending or being delivered on a vCPU (KVM API, KVM_GET_VCPU_EVENTS).
public struct VCPUEvents: Hashable, Sendable {
  /// An exception.
  public struct Exception: Hashable, Sendable {
    /// Whether its delivery has begun.
    public var injected = false
    /// Whether it waits, its payload not yet in DR6 or CR2.
    public var pending = false
    /// The exception, 0 to 31.
    public var number: UInt8 = 0
    /// Its error code, if it has one.
    public var errorCode: UInt32?
    /// What goes to DR6 or CR2 at delivery (KVM_CAP_EXCEPTION_PAYLOAD).
    public var payload: UInt64?

    /// No exception.
    public init() {}
  }

  /// An external or software interrupt.
  public struct Interrupt: Hashable, Sendable {
    /// Whether its delivery has begun.
    public var injected = false
    /// Its vector.
    public var number: UInt8 = 0
    /// Whether INT caused it.
    public var soft = false
    /// What shields the next instruction: bit 0 MOV SS, bit 1 STI.
    public var shadow: UInt8 = 0

    /// No interrupt.
    public init() {}
  }

  /// Non-maskable interrupts.
  public struct NMI: Hashable, Sendable {
    /// Whether delivery of one has begun.
    public var injected = false
    /// How many wait, at most 2.
    public var pending: UInt8 = 0
    /// Whether they are blocked until IRET.
    public var masked = false

    /// No NMI.
    public init() {}
  }

  /// System management interrupts, and INIT.
  public struct SMI: Hashable, Sendable {
    /// Whether the vCPU is in system management mode.
    public var inSMM = false
    /// Whether an SMI waits.
    public var pending = false
    /// Whether NMIs were blocked when it came.
    public var insideNMI = false
    /// Whether an INIT waits for the end of system management mode.
    public var latchedINIT = false

    /// No SMI.
    public init() {}
  }

  /// The exception.
  public var exception = Exception()
  /// The interrupt.
  public var interrupt = Interrupt()
  /// The non-maskable interrupts.
  public var nmi = NMI()
  /// The system management interrupts; nil where the kernel has none.
  public var smi: SMI?
  /// The vector of the last SIPI; KVM never reports it, and sets it only if given.
  public var sipiVector: UInt8?
  /// Whether a triple fault waits (KVM_CAP_X86_TRIPLE_FAULT_EVENT); nil where the kernel does not tell.
  public var tripleFault: Bool?

  /// No event.
  public init() {}
}

/// Whether a vCPU runs, halts or waits to be started (KVM API, KVM_GET_MP_STATE).
public enum MPState: UInt32, Hashable, Sendable, CaseIterable {
  /// It executes instructions.
  case runnable = 0
  /// It waits for INIT: an application processor that has just been created.
  case uninitialized = 1
  /// It got INIT and waits for SIPI.
  case initReceived = 2
  /// It executed HLT and waits for an interrupt.
  case halted = 3
  /// It has just got SIPI.
  case sipiReceived = 4
  /// It waits for SIPI after an SEV-ES reset.
  case apResetHold = 9

  /// Its name in files and reports, such as `halted`.
  public var name: String { "\(self)" }

  /// The state with a name; nil where there is none.
  public init?(name: String) {
    guard let state = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = state
  }
}

extension VCPU {
  /// Reads what is pending or being delivered (KVM_GET_VCPU_EVENTS).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func events() throws(KVMError) -> VCPUEvents {
    var raw = kvm_vcpu_events()
    // Sound: KVM fills the one structure it is given.
    try attempt(.getVCPUEvents, unsafe ckvm_get_vcpu_events(descriptor.rawValue, &raw))
    return VCPUEvents(raw)
  }

  /// Sets it (KVM_SET_VCPU_EVENTS); last of all state.
  ///
  /// - Throws: `KVMError` with EINVAL for events that cannot be, or whose capability is not enabled (a pending exception
  ///   needs `.exceptionPayload`, a triple fault `.tripleFaultEvent`).
  public func setEvents(_ events: VCPUEvents) throws(KVMError) {
    var raw = kvm_vcpu_events(events)
    // Sound: KVM reads the one structure it is given.
    try attempt(.setVCPUEvents, unsafe ckvm_set_vcpu_events(descriptor.rawValue, &raw))
  }

  /// Whether the vCPU runs, halts or waits (KVM_GET_MP_STATE); pending INIT and SIPI are taken first.
  ///
  /// - Throws: `KVMError` with EINVAL for a state that x86 does not have.
  public func mpState() throws(KVMError) -> MPState {
    var raw: UInt32 = 0
    // Sound: the shim writes the one integer it is given.
    try attempt(.getMPState, unsafe ckvm_get_mp_state(descriptor.rawValue, &raw))
    guard let state = MPState(rawValue: raw) else {
      throw KVMError(call: .getMPState, errno: .invalidArgument, detail: "state \(raw)")
    }
    return state
  }

  /// Sets it (KVM_SET_MP_STATE); first of all state.
  ///
  /// - Throws: `KVMError` with EINVAL for a state other than `runnable` without an in-kernel local APIC.
  public func setMPState(_ state: MPState) throws(KVMError) {
    try attempt(.setMPState, ckvm_set_mp_state(descriptor.rawValue, state.rawValue), detail: "\(state)")
  }
}

extension VCPUEvents {
  init(_ raw: kvm_vcpu_events) {
    func has(_ flag: Int32) -> Bool { raw.flags & UInt32(flag) != 0 }
    exception.injected = raw.exception.injected != 0
    exception.pending = raw.exception.pending != 0
    exception.number = raw.exception.nr
    exception.errorCode = raw.exception.has_error_code != 0 ? raw.exception.error_code : nil
    exception.payload = raw.exception_has_payload != 0 ? raw.exception_payload : nil
    interrupt.injected = raw.interrupt.injected != 0
    interrupt.number = raw.interrupt.nr
    interrupt.soft = raw.interrupt.soft != 0
    interrupt.shadow = raw.interrupt.shadow
    nmi.injected = raw.nmi.injected != 0
    nmi.pending = raw.nmi.pending
    nmi.masked = raw.nmi.masked != 0
    if has(KVM_VCPUEVENT_VALID_SMM) {
      var smi = SMI()
      smi.inSMM = raw.smi.smm != 0
      smi.pending = raw.smi.pending != 0
      smi.insideNMI = raw.smi.smm_inside_nmi != 0
      smi.latchedINIT = raw.smi.latched_init != 0
      self.smi = smi
    }
    if has(KVM_VCPUEVENT_VALID_TRIPLE_FAULT) { tripleFault = raw.triple_fault.pending != 0 }
  }
}

extension kvm_vcpu_events {
  init(_ value: VCPUEvents) {
    self.init()
    exception.injected = value.exception.injected ? 1 : 0
    exception.nr = value.exception.number
    exception.has_error_code = value.exception.errorCode == nil ? 0 : 1
    exception.error_code = value.exception.errorCode ?? 0
    interrupt.injected = value.interrupt.injected ? 1 : 0
    interrupt.nr = value.interrupt.number
    interrupt.soft = value.interrupt.soft ? 1 : 0
    interrupt.shadow = value.interrupt.shadow
    nmi.injected = value.nmi.injected ? 1 : 0
    nmi.pending = value.nmi.pending
    nmi.masked = value.nmi.masked ? 1 : 0
    flags = UInt32(KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW)
    if value.exception.pending || value.exception.payload != nil {
      flags |= UInt32(KVM_VCPUEVENT_VALID_PAYLOAD)
      exception.pending = value.exception.pending ? 1 : 0
      exception_has_payload = value.exception.payload == nil ? 0 : 1
      exception_payload = value.exception.payload ?? 0
    }
    if let vector = value.sipiVector {
      flags |= UInt32(KVM_VCPUEVENT_VALID_SIPI_VECTOR)
      sipi_vector = UInt32(vector)
    }
    if let smi = value.smi {
      flags |= UInt32(KVM_VCPUEVENT_VALID_SMM)
      self.smi.smm = smi.inSMM ? 1 : 0
      self.smi.pending = smi.pending ? 1 : 0
      self.smi.smm_inside_nmi = smi.insideNMI ? 1 : 0
      self.smi.latched_init = smi.latchedINIT ? 1 : 0
    }
    if let fault = value.tripleFault {
      flags |= UInt32(KVM_VCPUEVENT_VALID_TRIPLE_FAULT)
      triple_fault.pending = fault ? 1 : 0
    }
  }
}
