public import APIC
public import KVM

/// The state of one vCPU, taken once it no longer runs: what a hang or a crash is reported with.
public struct VCPUReport: Sendable {
  /// Its index.
  public var index: Int
  /// Whether it runs, is halted or waits for a SIPI.
  public var state: MPState
  /// Its general registers.
  public var registers: Registers
  /// Its special registers.
  public var specialRegisters: SpecialRegisters
  /// Its local APIC.
  public var localAPIC: LocalAPICState

  init(of vcpu: VCPU, index: Int) throws(KVMError) {
    self.index = index
    state = try vcpu.mpState()
    registers = try vcpu.registers()
    specialRegisters = try vcpu.specialRegisters()
    localAPIC = try vcpu.localAPIC()
  }
}
