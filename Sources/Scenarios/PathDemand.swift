/// How a scenario's interrupts must get to the guest.
public enum PathDemand: Hashable, Sendable {
  /// Any way will do.
  case any
  /// Injected by software at VM entry.
  case software
  /// Posted by hardware on hosts that can; injected by software on others.
  case postedOrSoftware
  /// Never injected on hosts with APICv; injected by software on others.
  case virtualDeliveryOrSoftware
  /// By virtual-interrupt delivery or posted: never injected. Hosts without APICv skip the scenario.
  case virtualDelivery
  /// Posted to a vCPU that stays in the guest. Hosts without posted interrupts skip the scenario.
  case posted
}
