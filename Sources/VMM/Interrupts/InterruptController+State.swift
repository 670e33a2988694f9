public import KVM
import Synchronization

extension InterruptController {
  /// The eventfds that this machine writes to for its guest, by GSI.
  public var machineIRQFDs: [UInt32: EventDescriptor] { state.withLock { $0.irqfds } }

  /// Sets the whole routing table of a machine that is made again.
  ///
  /// - Throws: `KVMError` for a table that KVM refuses.
  public func restoreRoutes(_ routes: [GSIRoute]) throws(KVMError) {
    try state.withLock { state throws(KVMError) in
      try vm.setGSIRouting(routes)
      state.routes = Dictionary(grouping: routes, by: \.gsi)
    }
  }

  /// Takes an eventfd over that was assigned to a GSI.
  public func adopt(irqfd event: EventDescriptor, gsi: UInt32) { state.withLock { $0.irqfds[gsi] = event } }
}
