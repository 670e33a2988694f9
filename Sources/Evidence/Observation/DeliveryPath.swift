/// How an interrupt got from the local APIC that accepted it into the guest.
public enum DeliveryPath: String, Hashable, Sendable, Codable, CaseIterable {
  /// Software injected it at VM entry: the vCPU had to leave the guest for it.
  case software
  /// Virtual-interrupt delivery: the processor evaluated and delivered it from the virtual-APIC page.
  case virtualDelivery = "virtual-interrupt delivery"
  /// Posted: set in the posted-interrupt descriptor, and delivered while the vCPU stayed in the guest.
  case posted
}

extension DeliveryPath {
  /// The way of all interrupts that a vCPU took, by how many of them KVM counts as injected: none, or as many. nil where
  /// it is some, and where it took none.
  init?(injections: UInt64, taken: Int) {
    guard taken > 0 else { return nil }
    if injections >= UInt64(taken) {
      self = .software
    } else if injections == 0 {
      self = .virtualDelivery
    } else {
      return nil
    }
  }
}
