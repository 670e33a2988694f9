public import APIC
public import KVM

/// The state of one vCPU.
public struct VCPUState: Hashable, Sendable {
  /// Its number, which is its APIC ID.
  public var id: UInt32 = 0
  /// Whether it runs, halts or waits.
  public var mpState = MPState.runnable
  /// The register page of its local APIC, with the remaining count of its timer.
  public var localAPIC = LocalAPICState()
  /// What is pending or being delivered.
  public var events = VCPUEvents()
  /// General registers.
  public var registers = Registers()
  /// Segments, tables, control registers, EFER and the APIC base.
  public var specialRegisters = SpecialRegisters()
  /// Breakpoints.
  public var debugRegisters = DebugRegisters()
  /// The whole extended state in the XSAVE format without compaction; x87 and SSE are its first 512 bytes.
  public var xsave: [UInt8] = []
  /// XCR0; none on hosts without XSAVE.
  public var extendedControlRegisters: [ExtendedControlRegister] = []
  /// The model-specific registers: those of KVM's own list in its order, then those that it does not list
  /// (`ModelRegisters`), then TSC_DEADLINE.
  public var msrs: [MSREntry] = []
  /// What CPUID answers.
  public var cpuid: [CPUIDEntry] = []
  /// The state of a nested hypervisor (`struct kvm_nested_state`); nil where the host has none.
  public var nestedState: [UInt8]?
  /// What KVM was told of the vCPU and does not tell back: the vAPIC address, TPR reporting.
  public var settings = VCPUSettings()
  /// The frequency of its TSC in kHz.
  public var tscKHz: UInt32 = 0
  /// What its TSC is ahead of the host's, modulo 2^64; nil on hosts that do not tell.
  public var tscOffset: UInt64?

  /// A vCPU with every field as a reset leaves it, or 0.
  public init() {}

  /// The value of a model-specific register; nil where the state has none.
  public func msr(_ index: UInt32) -> UInt64? { msrs.first { $0.index == index }?.value }
}
