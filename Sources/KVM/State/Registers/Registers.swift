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

/// The debug registers (KVM API, KVM_GET_DEBUGREGS; SDM volume 3B, section 18.2).
public struct DebugRegisters: Hashable, Sendable {
  /// DR0: the first breakpoint's linear address.
  public var dr0: UInt64 = 0
  /// DR1.
  public var dr1: UInt64 = 0
  /// DR2.
  public var dr2: UInt64 = 0
  /// DR3.
  public var dr3: UInt64 = 0
  /// DR6: what the last debug exception was about.
  public var dr6: UInt64 = 0xffff_0ff0
  /// DR7: which breakpoints are active.
  public var dr7: UInt64 = 0x400

  /// Registers as they are after a reset.
  public init() {}
}

extension DebugRegisters {
  init(_ raw: kvm_debugregs) {
    (dr0, dr1, dr2, dr3) = raw.db
    dr6 = raw.dr6
    dr7 = raw.dr7
  }
}

extension kvm_debugregs {
  init(_ value: DebugRegisters) {
    self.init()
    db = (value.dr0, value.dr1, value.dr2, value.dr3)
    dr6 = value.dr6
    dr7 = value.dr7
  }
}

/// An extended control register (KVM API, KVM_GET_XCRS; SDM volume 3A, section 2.6).
public struct ExtendedControlRegister: Hashable, Sendable {
  /// Which; 0 for XCR0, the states that XSAVE covers.
  public var number: UInt32
  /// What it holds.
  public var value: UInt64

  /// A register.
  public init(number: UInt32, value: UInt64) {
    self.number = number
    self.value = value
  }
}

/// The x87 and SSE registers (KVM API, KVM_GET_FPU; SDM volume 1, section 10.5.1).
public struct FPUState: Hashable, Sendable {
  /// ST0 to ST7 in the FXSAVE format: 8 times 16 bytes.
  public var fpr = [UInt8](repeating: 0, count: 128)
  /// The control word.
  public var fcw: UInt16 = 0x37f
  /// The status word.
  public var fsw: UInt16 = 0
  /// The abridged tag word: 1 for a register in use.
  public var ftwx: UInt8 = 0
  /// The last instruction's opcode.
  public var lastOpcode: UInt16 = 0
  /// Its address.
  public var lastIP: UInt64 = 0
  /// Its operand's address.
  public var lastDP: UInt64 = 0
  /// XMM0 to XMM15: 16 times 16 bytes.
  public var xmm = [UInt8](repeating: 0, count: 256)
  /// SSE control and status.
  public var mxcsr: UInt32 = 0x1f80

  /// Registers as FNINIT leaves them.
  public init() {}
}

extension FPUState {
  init(_ raw: kvm_fpu) {
    // Sound: both are plain bytes.
    fpr = unsafe withUnsafeBytes(of: raw.fpr) { unsafe [UInt8]($0) }
    xmm = unsafe withUnsafeBytes(of: raw.xmm) { unsafe [UInt8]($0) }
    fcw = raw.fcw
    fsw = raw.fsw
    ftwx = raw.ftwx
    lastOpcode = raw.last_opcode
    lastIP = raw.last_ip
    lastDP = raw.last_dp
    mxcsr = raw.mxcsr
  }
}

extension kvm_fpu {
  init(_ value: FPUState) {
    self.init()
    // Sound: both are plain bytes, and no more are copied than there are on either side.
    unsafe withUnsafeMutableBytes(of: &fpr) { unsafe $0.copyBytes(from: value.fpr.prefix($0.count)) }
    unsafe withUnsafeMutableBytes(of: &xmm) { unsafe $0.copyBytes(from: value.xmm.prefix($0.count)) }
    fcw = value.fcw
    fsw = value.fsw
    ftwx = value.ftwx
    last_opcode = value.lastOpcode
    last_ip = value.lastIP
    last_dp = value.lastDP
    mxcsr = value.mxcsr
  }
}
