import Evidence
import KVM

extension ScenarioResult {
  /// Lets a scenario that passed fail where its interrupts did not come the way that the scenario demands.
  ///
  /// Every vCPU that took an interrupt since the stimulus must have got it that way. A kernel that tells nothing of the
  /// way proves nothing: the case is skipped then.
  mutating func demand(_ path: PathDemand, _ host: HostKnowledge) {
    guard case .passed = verdict, let wanted = path.paths(on: host), let evidence else { return }
    let demanded = "demanded \(wanted.map(\.rawValue).joined(separator: " or "))"
    guard !evidence.interrupts.isEmpty else {
      verdict = .failed("\(demanded), but no vCPU took an interrupt")
      cause = .expectation
      return
    }
    guard evidence.interrupts.allSatisfy({ $0.path != nil || evidence.countsInjections(on: $0.vcpu) }) else {
      verdict = .skipped("\(demanded), and this kernel has neither irq_injections nor events that tell the way")
      return
    }
    let others = evidence.interrupts.filter { interrupt in !wanted.contains { $0 == interrupt.verdictPath } }
    guard !others.isEmpty else { return }
    verdict = .failed("\(demanded); saw: \(others.map(\.description).joined(separator: "; "))")
    cause = .expectation
  }
}

extension ScenarioResult {
  /// Lets a scenario that passed fail where the hardware delivered an interrupt although APICv was to be off.
  mutating func demandInhibition() {
    guard case .passed = verdict, let evidence else { return }
    let delivered = evidence.interrupts.filter { $0.path == .virtualDelivery || $0.path == .posted }
    guard !delivered.isEmpty else { return }
    verdict = .failed(
      "the parked vCPU did not keep APICv off; saw: \(delivered.map(\.description).joined(separator: "; "))")
    cause = .expectation
  }
}

extension PathDemand {
  /// The ways that meet the demand on a host; nil where any does.
  func paths(on host: HostKnowledge) -> [DeliveryPath]? {
    switch self {
    case .any: nil
    case .software: [.software]
    case .virtualDelivery: [.virtualDelivery, .posted]
    case .posted: [.posted]
    case .virtualDeliveryOrSoftware:
      switch host.survey[.apicv].state {
      case .available: [.virtualDelivery, .posted]
      case .missing: [.software]
      case .unknown: [.virtualDelivery, .posted, .software]
      }
    case .postedOrSoftware:
      switch host.survey[.postedInterrupts].state {
      case .available: [.posted]
      case .missing: [.software]
      case .unknown: [.posted, .software]
      }
    }
  }
}
