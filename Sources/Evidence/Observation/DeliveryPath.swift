/// How an interrupt got from the local APIC that accepted it into the guest.
public enum DeliveryPath: String, Hashable, Sendable, Codable, CaseIterable {
  /// Software injected it at VM entry: the vCPU had to leave the guest for it.
  case software
  /// Virtual-interrupt delivery: the processor evaluated and delivered it from the virtual-APIC page.
  case virtualDelivery = "virtual-interrupt delivery"
  /// Posted: set in the posted-interrupt descriptor, and delivered while the vCPU stayed in the guest.
  case posted
}
