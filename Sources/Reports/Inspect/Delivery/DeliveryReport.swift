import APIC
import KVM
import MachineState

/// What a vCPU would take when it is entered next, and what waits, and for what.
public struct DeliveryReport: Codable, Hashable, Sendable {
  /// What it takes first; absent where nothing is to be taken.
  public var next: Event?
  /// Whether that ends its halt; absent where it is not halted.
  public var wakes: Bool?
  /// What waits, in the order in which KVM looks at it.
  public var waiting: [Event]

  /// Something that a processor can be interrupted by.
  public struct Event: Codable, Hashable, Sendable {
    /// What it is.
    public var kind: Kind
    /// The vectors, the highest first; empty where there is none.
    public var vectors: [UInt8]
    /// The event for a person, such as `0x70, requested of the local APIC`.
    public var text: String
    /// What holds it back; empty for what comes next.
    public var obstacles: [Obstacle]
  }

  /// What an event is.
  public enum Kind: String, Codable, Sendable {
    /// Something whose delivery has begun.
    case injected
    /// A fault or trap.
    case exception
    /// A system management interrupt.
    case smi
    /// An INIT that waits for the end of system management mode.
    case initialize = "init"
    /// A non-maskable interrupt.
    case nmi
    /// An interrupt of the PIC, through LINT0.
    case external
    /// A vector in the IRR.
    case fixed
  }

  /// Something that holds an event back.
  public struct Obstacle: Codable, Hashable, Sendable {
    /// Which.
    public var code: Code
    /// The reason for a person.
    public var text: String

    init(_ code: Code, _ text: String) {
      self.code = code
      self.text = text
    }
  }

  /// What can hold an event back.
  public enum Code: String, Codable, Sendable, CaseIterable {
    /// The vCPU waits for an INIT.
    case waitsForINIT = "waits-for-init"
    /// The vCPU waits for a SIPI.
    case waitsForSIPI = "waits-for-sipi"
    /// Something else comes first.
    case behind
    /// RFLAGS.IF is 0.
    case interruptFlag = "interrupt-flag"
    /// The instruction after STI.
    case stiShadow = "sti-shadow"
    /// The instruction after MOV SS or POP SS.
    case movSSShadow = "mov-ss-shadow"
    /// Until IRET.
    case nmiBlocked = "nmi-blocked"
    /// In system management mode.
    case systemManagement = "smm"
    /// The TPR is as high.
    case taskPriority = "task-priority"
    /// An interrupt in service is as high.
    case inService = "in-service"
    /// IA32_APIC_BASE has the local APIC disabled.
    case apicDisabled = "apic-disabled"
    /// LINT0 does not let the PIC through.
    case lint0
  }
}

/// The interrupt that the pair of PICs asks for.
struct PICRequest: Hashable {
  /// 0 to 15.
  let line: Int
  let vector: UInt8

  /// What the pair asks for; nil for nothing (`pic_update_irq` and `kvm_pic_read_irq` in arch/x86/kvm/i8259.c).
  init?(_ pair: MachineState.PICPair) {
    // A slave that has something to say has raised the cascade line of the master.
    guard let line = pair.master.pendingLine(isMaster: true) else { return nil }
    guard line == PIC.cascadeLine else {
      self.line = Int(line)
      vector = pair.master.irqBase &+ line
      return
    }
    // Spurious where the slave has withdrawn: line 7 of the slave.
    let slaveLine = pair.slave.pendingLine(isMaster: false) ?? 7
    self.line = 8 + Int(slaveLine)
    vector = pair.slave.irqBase &+ slaveLine
  }
}

extension VCPUState {
  /// Whether it takes the PIC's interrupts (`kvm_apic_accept_pic_intr` in arch/x86/kvm/lapic.c).
  var listensToPIC: Bool {
    let base = specialRegisters.apicBase
    guard base.isEnabled else { return true }
    let entry = localAPIC.lvt(.lint0)
    return !entry.isMasked && entry.deliveryMode == .external
  }
}
