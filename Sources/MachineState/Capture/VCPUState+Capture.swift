import APIC
import KVM

extension VCPUState {
  /// What is asked of every vCPU of a machine, found out once.
  struct Plan: Sendable {
    let msrs: [UInt32]
    let hasSpecialRegisters2: Bool
    let hasExtendedControlRegisters: Bool
    let hasNestedState: Bool
    let hasDebugRegisters: Bool
    let hasTSCOffset: Bool

    init(_ vm: VirtualMachine, _ vcpu: VCPU) throws(KVMError) {
      let system = vm.system
      hasSpecialRegisters2 = try system.check(.sregs2) > 0
      hasExtendedControlRegisters = try system.check(.xcrs) > 0
      hasNestedState = try system.check(.nestedState) > 0
      hasDebugRegisters = try system.check(.debugRegs) > 0
      hasTSCOffset = (try? vcpu.tscOffset()) != nil
      // KVM lists registers of which some need a capability or a CPUID feature of the vCPU; it refuses those. What it does
      // not list comes last, each register once, in the order in which it is to be written.
      var readable: [UInt32] = []
      let own = try ModelRegisters.shown(by: vcpu)
      var rest = (try system.msrIndices().filter { $0 != MSR.tscDeadline && !own.contains($0) } + own)[...]
      while !rest.isEmpty {
        let answer = try vcpu.msrs(Array(rest.prefix(VCPU.msrLimit)))
        readable += answer.entries.map(\.index)
        rest = rest.dropFirst(answer.entries.count + (answer.refused == nil ? 0 : 1))
      }
      msrs = readable
    }
  }

  /// Reads all of a vCPU's state but what its timer decides (`readTimer`).
  ///
  /// The MP state has been read before, of all vCPUs. What follows changes nothing, so the order is free; that of restoring
  /// is not.
  mutating func read(_ vcpu: VCPU, _ plan: Plan) throws(KVMError) {
    registers = try vcpu.registers()
    specialRegisters = plan.hasSpecialRegisters2 ? try vcpu.specialRegisters2() : try vcpu.specialRegisters()
    if plan.hasDebugRegisters { debugRegisters = try vcpu.debugRegisters() }
    // KVM_GET_FPU would read part of the same again.
    xsave = try vcpu.xsave()
    XSAVEArea.normalize(&xsave)
    if plan.hasExtendedControlRegisters { extendedControlRegisters = try vcpu.extendedControlRegisters() }
    if plan.hasNestedState { nestedState = try vcpu.nestedState() }
    cpuid = try vcpu.cpuid()
    for index in cpuid.indices where !cpuid[index].hasSignificantIndex { cpuid[index].index = 0 }
    settings = vcpu.settings
    tscKHz = try vcpu.tscFrequency()
    tscOffset = plan.hasTSCOffset ? try vcpu.tscOffset() : nil
  }

  /// Reads the MSRs, the local APIC and the events: what a timer that expires meanwhile changes.
  ///
  /// TSC_DEADLINE is read before the page and after it. KVM clears it when it puts the interrupt into the IRR; read on one
  /// side only, an interrupt that went in between would be in both or in neither.
  mutating func readTimer(_ vcpu: VCPU, _ plan: Plan) throws(KVMError) {
    msrs = []
    for start in stride(from: 0, to: plan.msrs.count, by: VCPU.msrLimit) {
      msrs += try vcpu.msrs(Array(plan.msrs[start...].prefix(VCPU.msrLimit))).entries
    }
    var deadline = try vcpu.msrs([MSR.tscDeadline]).entries
    while true {
      localAPIC = try vcpu.localAPIC()
      // Posted interrupts are in it: KVM_GET_LAPIC folds the PIR into the IRR (sync_pir_to_irr).
      let again = try vcpu.msrs([MSR.tscDeadline]).entries
      if again == deadline { break }
      deadline = again
    }
    msrs += deadline
    events = try vcpu.events()
    // KVM reports what waits without a payload as injected too; and the SIPI vector is not KVM's to tell.
    events.sipiVector = nil
  }
}
