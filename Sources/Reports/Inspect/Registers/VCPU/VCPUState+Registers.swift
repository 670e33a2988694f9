import APIC
import KVM
import MachineState

extension VCPUState {
  typealias Register = RegisterDescription<VCPUState>

  /// What decides what the processor takes: execution state, general and control registers, segments.
  static let executionRegisters: [Register] = state + general + control + segments + debug

  /// The number that KVM was given for the vCPU.
  static let idRegister = Register("VCPU_ID", "vCPU id (KVM_CREATE_VCPU)") { .count(Int64($0.id)) }

  private static func bits(_ name: String, _ title: String, _ path: any Sendable & KeyPath<VCPUState, UInt64>)
    -> Register
  {
    Register(name, title) { .bits($0[keyPath: path]) }
  }

  private static let state: [Register] = [
    Register("MP_STATE", "Multiprocessing state (KVM_GET_MP_STATE)") {
      .words($0.mpState.name)
    } meaning: {
      $0.mpState.words
    }
  ]

  private static let general: [Register] = [
    bits("RAX", "RAX", \.registers.rax), bits("RBX", "RBX", \.registers.rbx), bits("RCX", "RCX", \.registers.rcx),
    bits("RDX", "RDX", \.registers.rdx), bits("RSI", "RSI", \.registers.rsi), bits("RDI", "RDI", \.registers.rdi),
    bits("RSP", "RSP", \.registers.rsp), bits("RBP", "RBP", \.registers.rbp), bits("R8", "R8", \.registers.r8),
    bits("R9", "R9", \.registers.r9), bits("R10", "R10", \.registers.r10), bits("R11", "R11", \.registers.r11),
    bits("R12", "R12", \.registers.r12), bits("R13", "R13", \.registers.r13), bits("R14", "R14", \.registers.r14),
    bits("R15", "R15", \.registers.r15), bits("RIP", "Instruction Pointer", \.registers.rip),
    Register(
      "RFLAGS", "Flags Register",
      fields: [
        .flag("CF", 0), .flag("PF", 2), .flag("AF", 4), .flag("ZF", 6), .flag("SF", 7), .flag("TF", 8),
        .flag("IF", 9, "interrupts on", "interrupts off"), .flag("DF", 10), .flag("OF", 11),
        .number("IOPL", 12...13), .flag("NT", 14), .flag("RF", 16), .flag("VM", 17), .flag("AC", 18),
        .flag("VIF", 19), .flag("VIP", 20), .flag("ID", 21),
      ]
    ) {
      .bits($0.registers.rflags)
    } meaning: {
      $0.allowsInterrupts ? "interrupts on" : "interrupts off"
    },
  ]

  private static let control: [Register] = [
    Register("CR0", "CR0", fields: [.flag("PE", 0), .flag("WP", 16), .flag("CD", 30), .flag("PG", 31)]) {
      .bits($0.specialRegisters.cr0)
    } meaning: { state in
      let cr0 = state.specialRegisters.cr0
      return cr0 & 1 == 0 ? "real mode" : cr0 >> 31 & 1 == 0 ? "protected mode" : "paging"
    },
    bits("CR2", "CR2: page-fault linear address", \.specialRegisters.cr2),
    bits("CR3", "CR3: page tables", \.specialRegisters.cr3),
    bits("CR4", "CR4", \.specialRegisters.cr4),
    Register("CR8", "CR8: task priority class") { .bits($0.specialRegisters.cr8, digits: 1) },
    Register(
      "IA32_EFER", "Extended Feature Enable Register",
      fields: [.flag("SCE", 0), .flag("LME", 8), .flag("LMA", 10), .flag("NXE", 11)]
    ) {
      .bits($0.specialRegisters.efer)
    } meaning: {
      $0.specialRegisters.efer >> 10 & 1 == 0 ? "" : "long mode"
    },
    Register(
      "IA32_APIC_BASE", "IA32_APIC_BASE",
      fields: [.flag("BSP", 8), .flag("EXTD", 10), .flag("EN", 11), .number("APIC Base", 12...51)]
    ) {
      .bits($0.specialRegisters.apicBase.rawValue)
    } meaning: { state in
      let base = state.specialRegisters.apicBase
      let processor = base.isBootstrapProcessor ? ", bootstrap processor" : ""
      return "\(base.mode.words) at \(hex(base.address))\(processor)"
    },
    Register("INTERRUPT_BITMAP", "Injected external interrupt (KVM_GET_SREGS)") {
      .vectors($0.specialRegisters.injectedInterrupt)
    },
    Register("PDPTRS", "PAE page-directory pointers (KVM_GET_SREGS2)") { state in
      state.specialRegisters.pageDirectoryPointers.map { pointers in
        .words(pointers.map { hex($0) }.joined(separator: ", "))
      }
    },
  ]

  private static func segment(_ name: String, _ path: any Sendable & KeyPath<VCPUState, Segment>) -> Register {
    Register(name, "\(name) segment") {
      .bits(UInt64($0[keyPath: path].selector), digits: 4)
    } meaning: { state in
      let segment = state[keyPath: path]
      let size = segment.l == 1 ? "64-bit" : segment.db == 1 ? "32-bit" : "16-bit"
      return "base \(hex(segment.base)), limit \(hex(segment.limit)), type \(hex(segment.type)), "
        + "\(segment.s == 1 ? "code or data" : "system"), DPL \(segment.dpl), \(size), "
        + "\(segment.present == 1 ? "present" : "not present"), granularity \(segment.g), AVL \(segment.avl)"
        + (segment.unusable == 1 ? ", unusable" : "")
    }
  }

  private static func table(_ name: String, _ path: any Sendable & KeyPath<VCPUState, DescriptorTable>) -> Register {
    Register(name, "\(name): descriptor table") {
      .bits($0[keyPath: path].base)
    } meaning: {
      "limit \(hex($0[keyPath: path].limit, digits: 4))"
    }
  }

  private static let segments: [Register] = [
    segment("CS", \.specialRegisters.cs), segment("DS", \.specialRegisters.ds),
    segment("ES", \.specialRegisters.es), segment("FS", \.specialRegisters.fs), segment("GS", \.specialRegisters.gs),
    segment("SS", \.specialRegisters.ss), segment("TR", \.specialRegisters.tr), segment("LDTR", \.specialRegisters.ldt),
    table("GDTR", \.specialRegisters.gdt), table("IDTR", \.specialRegisters.idt),
  ]

  private static let debug: [Register] = [
    bits("DR0", "DR0: breakpoint", \.debugRegisters.dr0), bits("DR1", "DR1: breakpoint", \.debugRegisters.dr1),
    bits("DR2", "DR2: breakpoint", \.debugRegisters.dr2), bits("DR3", "DR3: breakpoint", \.debugRegisters.dr3),
    bits("DR6", "DR6: debug status", \.debugRegisters.dr6), bits("DR7", "DR7: debug control", \.debugRegisters.dr7),
  ]

  /// RFLAGS.IF.
  var allowsInterrupts: Bool { registers.rflags >> 9 & 1 == 1 }
}

extension APICMode {
  /// The mode as the SDM writes it.
  var words: String {
    switch self {
    case .disabled: "disabled"
    case .xAPIC: "xAPIC"
    case .x2APIC: "x2APIC"
    case .invalid: "invalid mode"
    }
  }
}
