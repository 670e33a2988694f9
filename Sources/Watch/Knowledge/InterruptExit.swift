public import Evidence

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
