import APIC
import CKVM
import Synchronization
import SystemPackage

extension VirtualMachine {
  /// Replaces the whole routing table (KVM_SET_GSI_ROUTING).
  ///
  /// Routes come before irqfds on their GSIs.
  ///
  /// - Parameter routes: at most KVM_CAP_IRQ_ROUTING of them, in any order.
  /// - Throws: `KVMError`: EINVAL for a route that cannot be, E2BIG for too many.
  public func setGSIRouting(_ routes: [GSIRoute]) throws(KVMError) {
    var header = kvm_irq_routing()
    header.nr = UInt32(clamping: routes.count)
    let table = FlexibleArray(header, routes.map(kvm_irq_routing_entry.init), empty: kvm_irq_routing_entry())
    // Sound: the header counts the entries behind it, and KVM reads no more.
    let answer = unsafe table.withHeader { unsafe ckvm_set_gsi_routing(descriptor.rawValue, $0) }
    try attempt(.setGSIRouting, answer)
    chosen.withLock { $0.routes = routes }
  }
}

extension kvm_irq_routing_entry {
  fileprivate init(_ route: GSIRoute) {
    self =
      switch route {
      case .irqChip(let gsi, let chip, let pin): ckvm_route_irqchip(gsi, chip.rawValue, pin)
      case .msi(let gsi, let message): ckvm_route_msi(gsi, message.address, message.data)
      case .hypervSINT(let gsi, let vcpu, let sint): ckvm_route_hv_sint(gsi, vcpu, sint)
      }
  }
}
