import CKVM

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
