public import APIC
import CKVM
import Synchronization
import SystemPackage

extension VirtualMachine {
  /// Puts PIC, IOAPIC and local APICs in the kernel, with the default routes (KVM_CREATE_IRQCHIP).
  ///
  /// Before the first vCPU.
  ///
  /// - Throws: `KVMError`: EEXIST when there is an irqchip, EINVAL when there is a vCPU.
  public func createIRQChip() throws(KVMError) {
    try attempt(.createIRQChip, ckvm_create_irqchip(descriptor.rawValue))
    chosen.withLock { $0.hasIRQChip = true }
  }

  /// Puts only the local APICs in the kernel (KVM_CAP_SPLIT_IRQCHIP).
  ///
  /// Before the first vCPU. PIC and IOAPIC, if any, are the caller's; EOIs that its IOAPIC must see arrive as
  /// `Exit.ioapicEOI`.
  ///
  /// - Parameter pins: how many GSIs, from 0, are pins of the caller's IOAPIC.
  /// - Throws: `KVMError`: EEXIST when there is an irqchip or a vCPU, EINVAL for too many pins.
  public func createSplitIRQChip(pins: UInt32 = 24) throws(KVMError) {
    try enable(.splitIRQChip, UInt64(pins))
  }

  /// Reads one of the two in-kernel PICs (KVM_GET_IRQCHIP).
  ///
  /// - Throws: `KVMError` with ENXIO when the PICs are not in the kernel.
  public func pic(_ chip: PIC.Chip) throws(KVMError) -> PICState {
    var raw = kvm_pic_state()
    // Sound: the shim fills the one structure it is given.
    let answer = unsafe ckvm_get_pic(descriptor.rawValue, UInt32(chip.rawValue), &raw)
    try attempt(.getIRQChip, answer, detail: "\(chip)")
    return PICState(raw)
  }

  /// Writes one of the two in-kernel PICs (KVM_SET_IRQCHIP).
  ///
  /// - Throws: `KVMError` with ENXIO when the PICs are not in the kernel.
  public func setPIC(_ chip: PIC.Chip, _ state: PICState) throws(KVMError) {
    var raw = kvm_pic_state(state)
    // Sound: the shim copies the one structure it is given.
    let answer = unsafe ckvm_set_pic(descriptor.rawValue, UInt32(chip.rawValue), &raw)
    try attempt(.setIRQChip, answer, detail: "\(chip)")
  }

  /// Reads the in-kernel IOAPIC (KVM_GET_IRQCHIP).
  ///
  /// - Throws: `KVMError` with ENXIO when the IOAPIC is not in the kernel.
  public func ioapic() throws(KVMError) -> IOAPICState {
    var raw = kvm_ioapic_state()
    // Sound: the shim fills the one structure it is given.
    try attempt(.getIRQChip, unsafe ckvm_get_ioapic(descriptor.rawValue, &raw), detail: "ioapic")
    return IOAPICState(raw)
  }

  /// Writes the in-kernel IOAPIC (KVM_SET_IRQCHIP); pins whose level is high interrupt again.
  ///
  /// - Throws: `KVMError` with ENXIO when the IOAPIC is not in the kernel.
  public func setIOAPIC(_ state: IOAPICState) throws(KVMError) {
    var raw = kvm_ioapic_state(state)
    // Sound: the shim copies the one structure it is given.
    try attempt(.setIRQChip, unsafe ckvm_set_ioapic(descriptor.rawValue, &raw), detail: "ioapic")
  }
}

/// Where a global system interrupt goes (KVM API, KVM_SET_GSI_ROUTING).
///
/// A GSI may go to one pin of each chip at once, or to one MSI.
public enum GSIRoute: Hashable, Sendable {
  /// An in-kernel interrupt controller.
  public enum Chip: UInt32, Hashable, Sendable, CaseIterable {
    /// The PIC with IRQs 0 to 7 (KVM_IRQCHIP_PIC_MASTER).
    case picMaster = 0
    /// The PIC with IRQs 8 to 15 (KVM_IRQCHIP_PIC_SLAVE).
    case picSlave = 1
    /// The IOAPIC (KVM_IRQCHIP_IOAPIC).
    case ioapic = 2
  }

  /// To a pin of a chip: below 8 of a PIC, below 24 of the IOAPIC.
  case irqChip(gsi: UInt32, chip: Chip, pin: UInt32)

  /// To the local APICs that a message names.
  case msi(gsi: UInt32, MSIMessage)

  /// To a synthetic interrupt source, 0 to 15, of the vCPU with that Hyper-V index.
  case hypervSINT(gsi: UInt32, vcpu: UInt32, sint: UInt32)

  /// The interrupt that is routed.
  public var gsi: UInt32 {
    switch self {
    case .irqChip(let gsi, _, _), .msi(let gsi, _), .hypervSINT(let gsi, _, _): gsi
    }
  }

  /// The table that KVM_CREATE_IRQCHIP sets: GSIs 0 to 15 go to a PIC and the IOAPIC, 16 to 23 to the IOAPIC (kernel,
  /// `arch/x86/kvm/irq.c`, `default_routing`).
  ///
  /// A new table replaces all of it, so most start with these.
  public static let defaults: [GSIRoute] =
    (0..<24).map { .irqChip(gsi: $0, chip: .ioapic, pin: $0) }
    + (0..<8).map { .irqChip(gsi: $0, chip: .picMaster, pin: $0) }
    + (8..<16).map { .irqChip(gsi: $0, chip: .picSlave, pin: $0 - 8) }
}

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
