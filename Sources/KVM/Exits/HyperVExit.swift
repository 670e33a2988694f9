/// What user space has to do with what KVM plays of Hyper-V (KVM_EXIT_HYPERV; KVM API, `struct kvm_hyperv_exit`).
public enum HyperVExit: Hashable, Sendable {
  /// A vCPU's synthetic interrupt controller was switched on or off, or its pages moved (KVM_EXIT_HYPERV_SYNIC).
  case synIC(SynICRegisters)
  /// A hypercall that KVM leaves to user space (KVM_EXIT_HYPERV_HCALL).
  case call(HyperVCall)
  /// Something else: 3 is its debugger (KVM_EXIT_HYPERV_SYNDBG).
  case other(type: UInt32)
}

/// A vCPU's synthetic interrupt controller after a write to one of its registers (Hypervisor Top-Level Functional
/// Specification, section 11.8).
public struct SynICRegisters: Hashable, Sendable {
  /// The register that was written.
  public var msr: UInt32
  /// SCONTROL: bit 0 switches the controller on.
  public var control: UInt64
  /// SIEFP: the page of event flags, guest-physical, and in bit 0 whether there is one.
  public var eventPage: UInt64
  /// SIMP: the page of messages, guest-physical, and in bit 0 whether there is one.
  public var messagePage: UInt64

  /// Registers.
  public init(msr: UInt32, control: UInt64, eventPage: UInt64, messagePage: UInt64) {
    self.msr = msr
    self.control = control
    self.eventPage = eventPage
    self.messagePage = messagePage
  }
}

/// A call of a Hyper-V function (Hypervisor Top-Level Functional Specification, section 3).
public struct HyperVCall: Hashable, Sendable {
  /// The call's code in bits 15:0; bit 16 says that the parameters are values rather than addresses.
  public var input: UInt64
  /// RDX and R8: where the parameters lie, guest-physical, or the parameters.
  public var parameters: [UInt64]

  /// A call.
  public init(input: UInt64, parameters: [UInt64]) {
    self.input = input
    self.parameters = parameters
  }

  /// Which function.
  public var code: UInt16 { UInt16(truncatingIfNeeded: input) }
  /// Whether the parameters are in registers.
  public var isFast: Bool { input & 1 << 16 != 0 }
}

extension HyperVExit: CustomStringConvertible {
  /// What it is about.
  public var description: String {
    switch self {
    case .synIC(let registers): "a write to the synthetic interrupt controller's MSR \(hex(registers.msr))"
    case .call(let call): "a hypercall with code \(hex(call.code))"
    case .other(let type): "type \(type)"
    }
  }
}
