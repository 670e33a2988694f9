import KVM
import Synchronization
import SystemPackage

/// The GSIs through which this machine raises sources of vCPUs' synthetic interrupt controllers (KVM API,
/// KVM_IRQ_ROUTING_HV_SINT). A route is made when its source is first named, and stays.
final class SINTLines: Sendable {
  /// Above what guests route messages to.
  private static let firstGSI: UInt32 = 0x800

  private let interrupts: InterruptController
  private let vm: VirtualMachine
  private struct Lines {
    var all: Set<SynICPages.Source> = []
    /// The eventfds that KVM wants for its word of an end of message; nobody writes to them.
    var watched: [SynICPages.Source: EventDescriptor] = [:]
  }

  private let lines = Mutex(Lines())
  /// Signalled at an end of message of a source that is watched.
  let ended: EventDescriptor

  init(vm: VirtualMachine, interrupts: InterruptController) throws(KVMError) {
    self.vm = vm
    self.interrupts = interrupts
    ended = try EventDescriptor()
  }

  /// Sees to it that a source has a GSI.
  ///
  /// - Parameter isWatched: whether `ended` is to be signalled.
  /// - Throws: `KVMError` for a vCPU whose sources have no numbers here, beyond the 128th, and for what KVM refuses.
  func add(_ source: SynICPages.Source, isWatched: Bool = false) throws(KVMError) {
    let gsi = Self.gsi(of: source)
    guard gsi < InterruptController.gsiLimit else { throw KVMError(call: .setGSIRouting, errno: .invalidArgument) }
    try lines.withLock { lines throws(KVMError) in
      if !lines.all.contains(source) {
        try interrupts.route(gsi, toSource: UInt32(source.source), ofVCPU: UInt32(source.vcpu))
        lines.all.insert(source)
      }
      guard isWatched, lines.watched[source] == nil else { return }
      let event = try EventDescriptor()
      try vm.assignIRQFD(event, gsi: gsi, resample: ended)
      lines.watched[source] = event
    }
  }

  /// Interrupts the source's vCPU. One that the guest has masked, and one that was never added, interrupts nobody.
  func raise(_ source: SynICPages.Source) {
    guard lines.withLock({ $0.all.contains(source) }) else { return }
    // KVM says EINVAL or ENOENT of a source that the guest has not set up: what a processor would not take either.
    _ = try? interrupts.setLine(Self.gsi(of: source), to: true)
  }

  private static func gsi(of source: SynICPages.Source) -> UInt32 {
    firstGSI + UInt32(source.vcpu * SynICPages.sourceCount + source.source)
  }
}
