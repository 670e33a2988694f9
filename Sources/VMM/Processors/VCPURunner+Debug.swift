import APIC
import KVM

extension VCPURunner {
  /// Answers KVM_EXIT_DEBUG: tells the debugger, or gives the guest an exception that is its own.
  func answer(_ exit: DebugExit) throws(KVMError) {
    guard let plan = debug.plan(of: index) else {
      // The debugger has gone since the guest was entered: what it stopped for is nobody's, a single step or a breakpoint
      // that has been taken away.
      return
    }
    let hits = UInt8(truncatingIfNeeded: exit.dr6 & 0xf)
    switch exit.exception.rawValue {
    case ExceptionVector.breakpoint where debug.hasSoftwareBreakpoint(at: exit.pc):
      report(.softwareBreakpoint, at: exit.pc)
    case ExceptionVector.breakpoint:
      try inject(.injectBP, plan)
    case _ where plan.hardwareBreakpoints != nil && hits != 0:
      report(.hardwareBreakpoint(hits: hits), at: exit.pc)
    case _ where plan.isStepping:
      report(.step, at: exit.pc)
    default:
      // DR6 says what the exception is about. KVM_GUESTDBG_INJECT_DB leaves it as it was.
      var registers = try vcpu.debugRegisters()
      registers.dr6 = exit.dr6
      try vcpu.setDebugRegisters(registers)
      try inject(.injectDB, plan)
    }
  }

  /// Answers KVM_EXIT_INTERNAL_ERROR where a back end that emulates the guest has met an INT3 of the debugger's, which
  /// KVM's emulator knows in real mode only (`emulate_int` in arch/x86/kvm/emulate.c).
  ///
  /// - Returns: whether it was that.
  func answerBreakpoint(_ error: InternalError) throws(KVMError) -> Bool {
    guard debug.isAttached, error.suberror == InternalError.emulation else { return false }
    let registers = try vcpu.registers()
    let code = try vcpu.specialRegisters().cs
    let pc = code.l == 1 ? registers.rip : (code.base &+ registers.rip) & 0xffff_ffff
    guard debug.hasSoftwareBreakpoint(at: pc) else { return false }
    // KVM has queued #UD for it (`handle_emulation_failure`), which this drops.
    try vcpu.setRegisters(registers)
    report(.softwareBreakpoint, at: pc)
    return true
  }

  /// Ends a step at an access that this process has answered. KVM says nothing of the end of most of them, such as an
  /// MMIO write (`complete_emulated_mmio`), and would run the next instruction.
  func endStep(after exit: Exit) throws(KVMError) {
    switch exit {
    case .io, .mmio: break
    default: return
    }
    guard debug.plan(of: index)?.isStepping == true, !stop.isStopped else { return }
    try completePendingWork()
    guard !debug.hasStop(of: index) else { return }
    let registers = try vcpu.registers()
    report(.step, at: registers.rip)
  }

  /// Tells KVM what the vCPU is to stop for: nothing, where the debugger has gone.
  func tellDebugPlan() throws(KVMError) {
    guard let plan = debug.plan(of: index) else { return try vcpu.setGuestDebug([]) }
    try vcpu.setGuestDebug(
      plan.options(hasSoftwareBreakpoints: debug.hasSoftwareBreakpoints),
      breakpoints: plan.hardwareBreakpoints ?? DebugRegisters())
  }

  private func report(_ cause: DebugStop.Cause, at pc: UInt64) {
    debug.report(DebugStop(vcpu: index, cause: cause, pc: pc))
  }

  private func inject(_ exception: GuestDebugOptions, _ plan: DebugPlan) throws(KVMError) {
    try vcpu.setGuestDebug(
      plan.options(hasSoftwareBreakpoints: true).union([.enable, exception]),
      breakpoints: plan.hardwareBreakpoints ?? DebugRegisters())
  }
}

/// The exceptions that a debugger cares for (SDM volume 3A, table 7-1).
private enum ExceptionVector {
  /// #BP.
  static let breakpoint: UInt8 = 3
}
