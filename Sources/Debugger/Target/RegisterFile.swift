public import KVM

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
