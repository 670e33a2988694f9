import Evidence
import KVM

extension ScenarioResult {
  /// Lets a scenario that passed fail where its interrupts did not come the way that the scenario demands.
  ///
  /// Every vCPU that took an interrupt since the stimulus must have got it that way. A kernel that tells nothing of the
  /// way proves nothing: the case is skipped then.
  mutating func demand(_ path: PathDemand, _ host: HostKnowledge) {
    guard case .passed = verdict, path != .any, let evidence else { return }
    guard let wanted = path.paths(on: host) else {
      verdict = .skipped(
        "what is demanded depends on the host, and nothing tells whether it has APICv: "
          + path.features.map { "\($0.title): \(host.survey[$0].evidence)" }.joined(separator: "; "))
      return
    }
    let demanded = "demanded \(wanted.map(\.rawValue).joined(separator: " or "))"
    guard !evidence.interrupts.isEmpty else {
      verdict = .failed("\(demanded), but no vCPU took an interrupt")
      cause = .expectation
      return
    }
    if wanted == [.posted], let obstacle = evidence.obstacleToResidency {
      verdict = .skipped("\(demanded), which entries into the guest and exits alone prove: \(obstacle)")
      return
    }
    guard evidence.interrupts.allSatisfy({ $0.path != nil || evidence.countsInjections(on: $0.vcpu) }) else {
      verdict = .skipped("\(demanded), and this kernel has neither irq_injections nor events that tell the way")
      return
    }
    let others = evidence.interrupts.filter { interrupt in !wanted.contains { $0 == interrupt.verdictPath } }
    guard !others.isEmpty else { return }
    verdict = .failed("\(demanded); saw: \(others.map(\.description).joined(separator: "; "))")
    cause = .path
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
  /// The ways that meet the demand on a host; nil where any does, and where that depends on something that nothing tells of
  /// the host.
  func paths(on host: HostKnowledge) -> [DeliveryPath]? {
    func choose(_ feature: HostFeature.ID, _ paths: [DeliveryPath]) -> [DeliveryPath]? {
      switch host.survey[feature].state {
      case .available: paths
      case .missing: [.software]
      case .unknown: nil
      }
    }
    return switch self {
    case .any: nil
    case .software: [.software]
    case .virtualDelivery: [.virtualDelivery, .posted]
    case .posted: [.posted]
    case .virtualDeliveryOrSoftware: choose(.apicv, [.virtualDelivery, .posted])
    case .postedOrSoftware: choose(.postedInterrupts, [.posted])
    }
  }

  /// The features of a host that decide what is demanded.
  fileprivate var features: [HostFeature.ID] {
    switch self {
    case .virtualDeliveryOrSoftware: [.apicv]
    case .postedOrSoftware: [.postedInterrupts]
    case .any, .software, .virtualDelivery, .posted: []
    }
  }
}
