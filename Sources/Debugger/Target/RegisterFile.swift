public import KVM
import Support

/// The registers of a vCPU that gdb sees, by the numbers that `TargetDescription` gives them.
public struct RegisterFile: Hashable, Sendable {
  /// KVM_GET_REGS.
  public var general = Registers()
  /// KVM_GET_SREGS.
  public var special = SpecialRegisters()
  /// KVM_GET_FPU.
  public var fpu = FPUState()

  /// Registers that are all 0, but for bits that cannot be.
  public init() {}

  /// The registers of a vCPU.
  ///
  /// - Throws: `KVMError`; in practice never.
  init(of vcpu: VCPU) throws(KVMError) {
    general = try vcpu.registers()
    special = try vcpu.specialRegisters()
    fpu = try vcpu.fpu()
  }

  /// Gives a vCPU those that have changed.
  ///
  /// - Parameter old: what it has.
  /// - Throws: `KVMError` with EINVAL for a state that no processor can be in.
  func write(to vcpu: VCPU, whichHas old: RegisterFile) throws(KVMError) {
    // Segments and control registers first: KVM_SET_SREGS may refuse them.
    if special != old.special { try vcpu.setSpecialRegisters(special) }
    if general != old.general { try vcpu.setRegisters(general) }
    if fpu != old.fpu { try vcpu.setFPU(fpu) }
  }

  /// The bytes of a register, least significant first; nil where there is none of that number.
  public subscript(number: Int) -> [UInt8]? {
    guard TargetRegister.all.indices.contains(number) else { return nil }
    return TargetRegister.all[number].bytes(of: self)
  }

  /// Why a register was not changed.
  public enum Refusal: Error, Hashable, Sendable {
    /// There is none of that number.
    case unknown
    /// It has another size.
    case size(Int)
    /// gdb may look at it only.
    case readOnly(String)
  }

  /// Changes a register.
  ///
  /// - Throws: `Refusal`. To write what a register holds already is never refused.
  public mutating func set(_ number: Int, _ bytes: [UInt8]) throws(Refusal) {
    guard TargetRegister.all.indices.contains(number) else { throw .unknown }
    let register = TargetRegister.all[number]
    guard bytes.count == register.size else { throw .size(register.size) }
    guard bytes != register.bytes(of: self) else { return }
    guard register.set(bytes, in: &self) else { throw .readOnly(register.name) }
  }

  /// All of them, one after another.
  public var bytes: [UInt8] { TargetRegister.all.flatMap { $0.bytes(of: self) } }

  /// Changes all of them.
  ///
  /// - Throws: `Refusal`; `self` may have changed in part then.
  public mutating func set(all bytes: [UInt8]) throws(Refusal) {
    guard bytes.count == TargetRegister.all.reduce(0, { $0 + $1.size }) else { throw .size(bytes.count) }
    var rest = bytes[...]
    for (number, register) in TargetRegister.all.enumerated() {
      try set(number, Array(rest.prefix(register.size)))
      rest = rest.dropFirst(register.size)
    }
  }

  /// The linear address of the next instruction: what gdb takes for RIP. It knows no segments, and would not find a
  /// breakpoint in 16-bit code again.
  public var linearPC: UInt64 {
    get { special.cs.l == 1 ? general.rip : (special.cs.base &+ general.rip) & 0xffff_ffff }
    set { general.rip = special.cs.l == 1 ? newValue : (newValue &- special.cs.base) & 0xffff_ffff }
  }
}

extension SpecialRegisters {
  /// Whether the vCPU is not in real mode: CR0.PE (SDM volume 3A, section 2.5).
  var isProtected: Bool { cr0 & 1 == 1 }
}

/// The x87 registers beside the stack, each 32 bits wide to gdb (SDM volume 1, section 8.1; table 10-2 for FXSAVE).
enum X87Control: String, CaseIterable, Sendable {
  case fctrl, fstat, ftag, fiseg, fioff, foseg, fooff, fop

  var register: TargetRegister {
    TargetRegister(rawValue, size: 4, type: "int", .core) { file in
      var bytes: [UInt8] = []
      bytes.appendLittleEndian(read(file.fpu))
      return bytes
    } write: { file, bytes in
      write(UInt32(truncatingIfNeeded: bytes.littleEndian), to: &file.fpu)
    }
  }

  private func read(_ fpu: FPUState) -> UInt32 {
    switch self {
    case .fctrl: UInt32(fpu.fcw)
    case .fstat: UInt32(fpu.fsw)
    case .ftag: UInt32(fpu.fullTagWord)
    case .fiseg: UInt32(truncatingIfNeeded: fpu.lastIP >> 32)
    case .fioff: UInt32(truncatingIfNeeded: fpu.lastIP)
    case .foseg: UInt32(truncatingIfNeeded: fpu.lastDP >> 32)
    case .fooff: UInt32(truncatingIfNeeded: fpu.lastDP)
    case .fop: UInt32(fpu.lastOpcode)
    }
  }

  private func write(_ value: UInt32, to fpu: inout FPUState) {
    switch self {
    case .fctrl: fpu.fcw = UInt16(truncatingIfNeeded: value)
    case .fstat: fpu.fsw = UInt16(truncatingIfNeeded: value)
    case .ftag: fpu.setTags(from: UInt16(truncatingIfNeeded: value))
    case .fiseg: fpu.lastIP = UInt64(value) << 32 | (fpu.lastIP & 0xffff_ffff)
    case .fioff: fpu.lastIP = (fpu.lastIP & ~0xffff_ffff) | UInt64(value)
    case .foseg: fpu.lastDP = UInt64(value) << 32 | (fpu.lastDP & 0xffff_ffff)
    case .fooff: fpu.lastDP = (fpu.lastDP & ~0xffff_ffff) | UInt64(value)
    case .fop: fpu.lastOpcode = UInt16(truncatingIfNeeded: value)
    }
  }
}

extension FPUState {
  private enum Tag: UInt16 {
    case valid, zero, special, empty
  }

  /// The tag word with two bits a register, which FXSAVE keeps one of (SDM volume 1, section 10.5.1.1).
  var fullTagWord: UInt16 {
    (0..<8).reduce(0) { $0 | tag(ofPhysical: $1).rawValue << UInt16(2 * $1) }
  }

  /// Keeps of a tag word what FXSAVE does: whether each register is in use.
  mutating func setTags(from word: UInt16) {
    ftwx = (0..<8).reduce(0) { word >> UInt16(2 * $1) & 3 == Tag.empty.rawValue ? $0 : $0 | 1 << UInt8($1) }
  }

  private func tag(ofPhysical index: Int) -> Tag {
    guard ftwx >> UInt8(index) & 1 == 1 else { return .empty }
    // The registers are kept from the top of the stack on.
    let place = (index - Int(fsw >> 11 & 7)) & 7
    let value = fpr[16 * place..<16 * place + 10]
    let significand = value.littleEndian
    let exponent = UInt16(value[16 * place + 9] & 0x7f) << 8 | UInt16(value[16 * place + 8])
    if exponent == 0, significand == 0 { return .zero }
    return exponent == 0 || exponent == 0x7fff || significand >> 63 == 0 ? .special : .valid
  }
}
