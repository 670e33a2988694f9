public import KVM

/// What a host can do, as far as scenarios ask: what the survey says, and what only trying tells.
public struct HostKnowledge: Sendable {
  /// The survey.
  public private(set) var survey: HostSurvey
  /// The traits that this host was tried for and lacks, with the reason.
  public internal(set) var missingTraits: [HostTrait: String] = [:]
  /// The traits that it was tried for.
  var triedTraits: Set<HostTrait> = []

  /// Knowledge that rests on a survey alone.
  public init(survey: HostSurvey) {
    self.survey = survey
  }

  /// Why a scenario cannot be run here, in the host's words; nil where it can.
  public func reasonToSkip(_ scenario: Scenario) -> String? {
    scenario.allNeeds.lazy.compactMap(reason).first
  }

  /// Why a scenario cannot be run here although this host is required to have what it lacks; nil where neither is so.
  func reasonToFail(_ scenario: Scenario, _ requirements: Set<Need>) -> String? {
    scenario.allNeeds.lazy.filter { requirements.contains($0.canonical) }.compactMap(reason).first
  }

  private func reason(_ need: Need) -> String? {
    switch need {
    case .capability(let capability):
      return (survey.value(capability) ?? 0) > 0 ? nil : "this kernel's KVM has no \(capability.name)"
    case .feature(let id):
      let feature = survey[id]
      return feature.state == .available ? nil : "\(id.title): \(feature.evidence)"
    case .trait(let trait):
      return missingTraits[trait]
    }
  }
}

extension HostKnowledge {
  /// The same host as a machine sees it in which a parked vCPU keeps APICv off.
  var withoutAPICv: HostKnowledge {
    var host = self
    var survey = survey
    for place in survey.features.indices {
      let id = survey.features[place].id
      guard [.apicv, .postedInterrupts, .devicePostedInterrupts, .ipiVirtualization].contains(id) else { continue }
      survey.features[place] = HostFeature(id, .missing, evidence: "a parked vCPU keeps APICv off")
    }
    host.survey = survey
    return host
  }
}

extension Scenario {
  /// What a host must have, its path's needs among it.
  public var allNeeds: [Need] { needs + path.needs }
}

extension PathDemand {
  /// What a host must have to meet the demand at all.
  var needs: [Need] {
    switch self {
    case .any, .software, .postedOrSoftware, .virtualDeliveryOrSoftware: []
    case .virtualDelivery: [.feature(.apicv)]
    case .posted: [.feature(.postedInterrupts)]
    }
  }
}
