import APIC
import KVM
import VMM

/// Takes the state of a vCPU of a machine that is paused.
struct VCPUCapture {
  let machine: Machine
  let index: Int
  let plan: VCPUState.Plan

  /// How often a timer that expires while it is looked at is looked at again. KVM lets none expire more often than every
  /// 200 us (`min_timer_period_us`), far longer than a look takes.
  private static let patience = 32

  /// The state, with every timer interrupt either in the IRR or still to come.
  ///
  /// A timer whose count runs in the local APIC goes on during the pause. If it expires, KVM only counts that, in a place
  /// that no call shows, until the vCPU runs. So such a vCPU completes what is pending, and its state is taken again, until there was no
  /// expiry in between.
  func state() throws(KVMError) -> VCPUState {
    var state = try read()
    for _ in 0..<Self.patience {
      guard state.localAPIC.countsDown else { break }
      let before = state.localAPIC
      let start = ContinuousClock.now
      try machine.completePendingWork(index)
      state = try read()
      guard state.localAPIC.mayHaveExpired(since: before, elapsed: .now - start) else { break }
    }
    try uncoverExpiry(in: &state)
    return state
  }

  /// Finds an expiry that KVM has not noticed, because VT-x's preemption timer counts for it and it looks at that only at
  /// the next entry (`kvm_lapic_expired_hv_timer`), or because the kernel's timer is late. Until then the current count
  /// is 0: a periodic timer never rests at that; a one-shot timer may.
  private func uncoverExpiry(in state: inout VCPUState) throws(KVMError) {
    let timer = state.localAPIC.lvt(.timer)
    guard state.localAPIC.countsDown, state.localAPIC.currentCount == 0 else { return }
    if timer.timerMode == .periodic {
      state.localAPIC.interruptRequest.insert(timer.vector)
    } else if !state.localAPIC.interruptRequest.contains(timer.vector) {
      try machine.noticeTimerExpiry(index)
      state = try read()
    }
  }

  /// KVM_GET_MP_STATE comes first: it takes a pending INIT or SIPI, which changes registers (`kvm_apic_accept_events`).
  private func read() throws(KVMError) -> VCPUState {
    let vcpu = machine.vcpus[index]
    var state = VCPUState()
    state.id = vcpu.id
    state.mpState = try vcpu.mpState()
    try state.read(vcpu, plan)
    try state.readTimer(vcpu, plan)
    return state
  }
}

extension LocalAPICState {
  /// Whether its timer was given a count, in one-shot or periodic mode, and may interrupt.
  fileprivate var countsDown: Bool {
    let timer = lvt(.timer)
    return !timer.isMasked && initialCount != 0 && (timer.timerMode == .oneShot || timer.timerMode == .periodic)
  }

  /// Whether the timer may have expired between an earlier page and this one.
  ///
  /// - Parameter elapsed: the time from before the first to after the second.
  fileprivate func mayHaveExpired(since earlier: LocalAPICState, elapsed: Duration) -> Bool {
    guard lvt(.timer).timerMode == .periodic else { return earlier.currentCount != 0 && currentCount == 0 }
    // A count of the APIC bus is a nanosecond, or longer (KVM_CAP_X86_APIC_BUS_CYCLES_NS).
    let period = Double(initialCount) * Double(divide.divisor)
    return currentCount > earlier.currentCount || elapsed / .nanoseconds(1) >= period
  }
}

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

/// The extended state in the XSAVE format without compaction (SDM volume 1, sections 13.4 and 13.6).
enum XSAVEArea {
  /// `struct kvm_xsave`, which every host has room for.
  static let leastSize = 4096
  /// Above any processor's: AMX makes it 11 KiB (SDM volume 1, section 13.5). A document says it in a few bytes, and room
  /// is made for all of it.
  static let mostSize = 1 << 14

  private static let header = 512
  private static let legacyState: UInt8 = 1 << 0
  private static let sseState: UInt8 = 1 << 1
  private static let initialControlWord: [UInt8] = [0x7f, 0x03]
  private static let initialMXCSR: [UInt8] = [0x80, 0x1f, 0, 0]

  /// Clears the bits of XSTATE_BV of the x87 and SSE states where these hold their initial values.
  ///
  /// The processor may say of such a state that it is in use or that it is not, and does say either, depending on whether
  /// it was loaded since. To restore it makes no difference.
  static func normalize(_ area: inout [UInt8]) {
    guard area.count > header else { return }
    // Control word, status, tags, opcode and the two pointers; then the eight registers, after MXCSR and its mask.
    let isLegacyInitial =
      area[..<2].elementsEqual(initialControlWord) && area[2..<24].allSatisfy { $0 == 0 }
      && area[32..<160].allSatisfy { $0 == 0 }
    if isLegacyInitial { area[header] &= ~legacyState }
    let isSSEInitial = area[24..<28].elementsEqual(initialMXCSR) && area[160..<416].allSatisfy { $0 == 0 }
    if isSSEInitial { area[header] &= ~sseState }
  }
}
