import CKVM

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
