import CKVM

/// The general-purpose registers, RIP and RFLAGS (KVM API, KVM_GET_REGS; SDM volume 1, section 3.4).
public struct Registers: Hashable, Sendable {
  /// The accumulator.
  public var rax: UInt64 = 0
  /// RBX.
  public var rbx: UInt64 = 0
  /// RCX.
  public var rcx: UInt64 = 0
  /// RDX.
  public var rdx: UInt64 = 0
  /// RSI.
  public var rsi: UInt64 = 0
  /// RDI.
  public var rdi: UInt64 = 0
  /// The stack pointer.
  public var rsp: UInt64 = 0
  /// RBP.
  public var rbp: UInt64 = 0
  /// R8.
  public var r8: UInt64 = 0
  /// R9.
  public var r9: UInt64 = 0
  /// R10.
  public var r10: UInt64 = 0
  /// R11.
  public var r11: UInt64 = 0
  /// R12.
  public var r12: UInt64 = 0
  /// R13.
  public var r13: UInt64 = 0
  /// R14.
  public var r14: UInt64 = 0
  /// R15.
  public var r15: UInt64 = 0
  /// The instruction pointer.
  public var rip: UInt64 = 0
  /// The flags; bit 1 is always 1, bit 9 is IF.
  public var rflags: UInt64 = 2

  /// Registers that are all 0, but for the bit of RFLAGS that cannot be.
  public init() {}
}

extension Registers {
  init(_ raw: kvm_regs) {
    rax = raw.rax
    rbx = raw.rbx
    rcx = raw.rcx
    rdx = raw.rdx
    rsi = raw.rsi
    rdi = raw.rdi
    rsp = raw.rsp
    rbp = raw.rbp
    r8 = raw.r8
    r9 = raw.r9
    r10 = raw.r10
    r11 = raw.r11
    r12 = raw.r12
    r13 = raw.r13
    r14 = raw.r14
    r15 = raw.r15
    rip = raw.rip
    rflags = raw.rflags
  }
}

extension kvm_regs {
  init(_ value: Registers) {
    self.init(
      rax: value.rax, rbx: value.rbx, rcx: value.rcx, rdx: value.rdx, rsi: value.rsi, rdi: value.rdi, rsp: value.rsp,
      rbp: value.rbp, r8: value.r8, r9: value.r9, r10: value.r10, r11: value.r11, r12: value.r12, r13: value.r13,
      r14: value.r14, r15: value.r15, rip: value.rip, rflags: value.rflags)
  }
}
