public import Evidence

/// What keeps a machine from using APICv: what usually causes it, and what to do (kernel,
/// arch/x86/include/asm/kvm_host.h, `enum kvm_apicv_inhibit`).
public struct InhibitReason: Hashable, Sendable {
  /// The name in the kernel's source, without `APICV_INHIBIT_REASON_`.
  public var name: String
  /// What usually causes it.
  public var cause: String
  /// What to do about it.
  public var remedy: String

  /// What is known of a reason by its name; nil for one that is not known.
  public static func known(_ name: String) -> InhibitReason? { all.first { $0.name == name } }

  /// All that are known.
  public static let all = [
    InhibitReason(
      name: "DISABLED", cause: "KVM was loaded without APICv, or the processor has none",
      remedy: "load kvm_intel with enable_apicv=Y, or kvm_amd with avic=Y; 'lapwing doctor' says what the host lacks"),
    InhibitReason(
      name: "HYPERV", cause: "the guest uses AutoEOI of Hyper-V's synthetic interrupt controller",
      remedy: "give the guest the Hyper-V hint that AutoEOI is deprecated (QEMU: -cpu ...,hv-avic=on or hv-apicv=on)"),
    InhibitReason(
      name: "ABSENT", cause: "the local APICs are not the kernel's",
      remedy: "have the VMM make the irqchip in the kernel, whole or split (QEMU: -machine kernel_irqchip=on or split)"),
    InhibitReason(
      name: "BLOCKIRQ", cause: "a debugger single-steps a vCPU with its interrupts held (KVM_GUESTDBG_BLOCKIRQ)",
      remedy: "detach the debugger, or let it step without holding interrupts"),
    InhibitReason(
      name: "PHYSICAL_ID_ALIASED", cause: "two vCPUs answer to one APIC id, as with more than 255 vCPUs in xAPIC mode",
      remedy: "use x2APIC in the guest, and KVM_CAP_X2APIC_API with 32-bit ids in the VMM"),
    InhibitReason(
      name: "APIC_ID_MODIFIED", cause: "a vCPU's xAPIC id was changed: by the guest, or by a VMM that restored a state",
      remedy: "leave the xAPIC ids as the vCPUs' are, or use x2APIC in the guest"),
    InhibitReason(
      name: "APIC_BASE_MODIFIED", cause: "the guest moved its local APIC from 0xfee00000 (IA32_APIC_BASE)",
      remedy: "leave the base where it is; the inhibit stays until the machine ends"),
    InhibitReason(
      name: "NESTED", cause: "the guest runs a guest of its own (AVIC only)",
      remedy: "nothing, while nested guests run; take SVM from the guest's CPUID where it needs none"),
    InhibitReason(
      name: "IRQWIN", cause: "KVM waits for an interrupt window, as for the PIC's interrupts (AVIC only)",
      remedy: "where it comes and goes all the time, let the guest use the IOAPIC or MSIs instead of the PIC"),
    InhibitReason(
      name: "PIT_REINJ", cause: "the in-kernel PIT reinjects ticks that were missed (AVIC only)",
      remedy: "switch reinjection off (QEMU: -global kvm-pit.lost_tick_policy=discard), or use no in-kernel PIT"),
    InhibitReason(
      name: "SEV", cause: "the guest's memory is encrypted (AVIC only)", remedy: "nothing: AVIC does not work with SEV"),
    InhibitReason(
      name: "LOGICAL_ID_ALIASED", cause: "two vCPUs have one logical APIC id (AVIC only)",
      remedy: "give each vCPU a logical destination of its own in the guest, or use x2APIC"),
    InhibitReason(
      name: "PHYSICAL_ID_TOO_BIG", cause: "a vCPU's id is beyond what AVIC's tables hold (AVIC only)",
      remedy: "use fewer vCPUs or lower ids"),
  ]
}

/// Exits that are the interrupts' doing: what would not be there, or not as often, without interrupts and local APICs (SDM
/// volume 3D, appendix C; AMD64 volume 2, appendix C).
public enum InterruptExit: String, Hashable, Sendable, CaseIterable {
  /// An interrupt of the host's came, the notification of a posted interrupt and a kick by another processor included.
  case externalInterrupt = "external interrupt"
  /// The guest can take an interrupt again, which waited for that.
  case window = "interrupt window"
  /// The guest ended an interrupt whose EOI KVM wants to see: a level-triggered one, mostly.
  case inducedEOI = "EOI-induced"
  /// The guest touched its memory-mapped local APIC.
  case access = "APIC access"
  /// The guest wrote a register of its virtual-APIC page.
  case write = "APIC write"
  /// The guest lowered its task priority below what waits.
  case taskPriority = "TPR below threshold"
  /// The guest waits for an interrupt.
  case halt = "HLT"
  /// The preemption timer, by which KVM runs the guest's APIC timer.
  case timer = "preemption timer"
  /// AVIC could not deliver an IPI by itself.
  case incompleteIPI = "incomplete IPI"

  /// What an exit is of these; nil for all others.
  public init?(_ reason: ExitReason) {
    let isVMX = reason.architecture == 1
    switch (isVMX, isVMX ? reason.number & 0xffff : reason.number) {
    case (true, 1), (false, 0x60): self = .externalInterrupt
    case (true, 7), (false, 0x64): self = .window
    case (true, 12), (false, 0x78): self = .halt
    case (true, 43): self = .taskPriority
    case (true, 44), (false, 0x402): self = .access
    case (true, 45): self = .inducedEOI
    case (true, 52): self = .timer
    case (true, 56): self = .write
    case (false, 0x401): self = .incompleteIPI
    default: return nil
    }
  }
}
