public import KVM

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
