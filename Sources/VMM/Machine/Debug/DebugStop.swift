public import KVM

/// Why a vCPU stopped for a debugger.
public struct DebugStop: Hashable, Sendable {
  /// What it came to.
  public enum Cause: Hashable, Sendable {
    /// The end of a single step.
    case step
    /// An INT3 of the debugger's.
    case softwareBreakpoint
    /// One or more of the breakpoints in DR0 to DR3; bit n for DRn.
    case hardwareBreakpoint(hits: UInt8)
  }

  /// The vCPU's index.
  public var vcpu: Int
  /// What it came to.
  public var cause: Cause
  /// The linear address of the instruction that is next; of the breakpoint where it is one.
  public var pc: UInt64

  /// A stop.
  public init(vcpu: Int, cause: Cause, pc: UInt64) {
    self.vcpu = vcpu
    self.cause = cause
    self.pc = pc
  }
}

/// What a vCPU that a debugger lets go on is to stop for.
public struct DebugPlan: Hashable, Sendable {
  /// After one instruction.
  public var isStepping: Bool
  /// Whether interrupts are kept out of that one instruction (KVM_GUESTDBG_BLOCKIRQ).
  public var blocksInterrupts: Bool
  /// DR0 to DR3 and DR7 where the debugger has breakpoints in them; nil leaves the guest its own.
  public var hardwareBreakpoints: DebugRegisters?

  /// A plan.
  public init(isStepping: Bool = false, blocksInterrupts: Bool = false, hardwareBreakpoints: DebugRegisters? = nil) {
    self.isStepping = isStepping
    self.blocksInterrupts = blocksInterrupts
    self.hardwareBreakpoints = hardwareBreakpoints
  }

  /// What KVM is told.
  ///
  /// - Parameter hasSoftwareBreakpoints: whether INT3 is the debugger's to look at.
  func options(hasSoftwareBreakpoints: Bool) -> GuestDebugOptions {
    var options: GuestDebugOptions = []
    if isStepping { options.insert(.singleStep) }
    if isStepping, blocksInterrupts { options.insert(.blockIRQ) }
    if hasSoftwareBreakpoints { options.insert(.softwareBreakpoints) }
    if hardwareBreakpoints != nil { options.insert(.hardwareBreakpoints) }
    return options.isEmpty ? [] : options.union(.enable)
  }
}

extension Machine {
  /// Waits until all vCPUs are out of the guest, after `DebugControl.hold()` or a stop.
  ///
  /// - Parameter limit: how long they have.
  /// - Returns: whether they are; a device may keep one for longer. The debugger holds the guest in either case.
  public func awaitDebugHold(within limit: Duration) -> Bool {
    missingVCPU(within: limit) == nil
  }

  /// Lets vCPUs go on for a debugger. While it holds the guest.
  ///
  /// - Parameters:
  ///   - plans: what each is to stop for, by index; the others wait on.
  ///   - softwareBreakpoints: the linear addresses at which the debugger has written INT3.
  /// - Throws: `KVMError` where KVM refuses to debug so; the guest is held on.
  public func resumeDebugged(
    _ plans: [Int: DebugPlan], softwareBreakpoints: Set<UInt64>
  ) throws(KVMError) {
    for (index, plan) in plans {
      try vcpus[index].setGuestDebug(
        plan.options(hasSoftwareBreakpoints: !softwareBreakpoints.isEmpty),
        breakpoints: plan.hardwareBreakpoints ?? DebugRegisters())
    }
    debug.plan(plans, softwareBreakpoints: softwareBreakpoints)
    letGo(keeping: Set(vcpus.indices).subtracting(plans.keys))
  }

  /// Lets all vCPUs go on with nothing to stop for: the debugger has gone.
  ///
  /// - Throws: `KVMError`; in practice never. The guest goes on nevertheless.
  public func endDebugging() throws(KVMError) {
    var failure: KVMError?
    for vcpu in vcpus {
      do throws(KVMError) {
        try vcpu.setGuestDebug([])
      } catch {
        failure = error
      }
    }
    debug.plan([:], softwareBreakpoints: [])
    _ = debug.takeStops()
    letGo(keeping: [])
    if let failure { throw failure }
  }

  private func letGo(keeping waiting: Set<Int>) {
    guard debug.letGo(keeping: waiting) else { return }
    for inbox in inboxes { inbox.endWait() }
  }
}
