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

/// What became of trying a host for a trait that no capability tells of.
public struct TraitTrial: Sendable {
  /// The trait.
  public let trait: HostTrait
  /// What was found.
  public let verdict: Verdict
  /// What that rests on, for a person.
  public let evidence: String

  /// What can be found.
  public enum Verdict: String, Sendable, Codable {
    /// The host has the trait.
    case present
    /// It does not.
    case absent
    /// What was tried did not decide it.
    case undecided
  }

  /// What became of the probe; nil for a trait that the survey tells.
  let result: ScenarioResult?

  /// How long a probe waits for each thing: a back end that does not know an instruction may try it for ever.
  private static let patience = Duration.seconds(4)
  /// How long where the host is known to lack the trait, and is only asked whether it still does.
  private static let patienceForKnownLack = Duration.seconds(1)

  /// Tries a host for every trait, with a guest each.
  ///
  /// - Parameters:
  ///   - system: the host's KVM.
  ///   - survey: what is known of the host.
  ///   - isInterrupted: asked before each trial, of which none is begun any more once it says so.
  /// - Returns: one trial a trait, in the order of `HostTrait.allCases`.
  public static func all(
    on system: System, _ survey: HostSurvey, isInterrupted: () -> Bool = { false }
  ) -> [TraitTrial] {
    var trials: [TraitTrial] = []
    for trait in HostTrait.allCases where !isInterrupted() {
      trials.append(TraitTrial(trait, on: system, HostKnowledge(survey: survey)))
    }
    return trials
  }

  /// Tries a host for a trait.
  init(_ trait: HostTrait, on system: System, _ host: HostKnowledge) {
    self.trait = trait
    guard let probe = trait.probe else {
      result = nil
      let isMissing = trait.isKnownToBeMissing(on: host.survey)
      (verdict, evidence) = isMissing ? (.absent, trait.lack) : (.present, "by the kernel's own word")
      return
    }
    var runner = ScenarioRunner(system: system, host: host)
    runner.patience = trait.isKnownToBeMissing(on: host.survey) ? Self.patienceForKnownLack : Self.patience
    let result = runner.run(ScenarioCase(scenario: probe, mode: probe.modes[0]))
    self.result = result
    switch result.verdict {
    case .passed: (verdict, evidence) = (.present, "tried: \(probe.title)")
    case .failed(let reason) where trait.isDenied(by: result): (verdict, evidence) = (.absent, "tried: \(reason)")
    case .failed(let reason): (verdict, evidence) = (.undecided, "tried, and failed otherwise: \(reason)")
    case .skipped(let reason): (verdict, evidence) = (.undecided, reason)
    }
  }
}

extension HostTrait {
  /// The trait as a sentence.
  public var title: String {
    switch self {
    case .inService: "an interrupt stays in service until its EOI"
    case .hypercall: "a hypercall instruction works in ring 0"
    case .instructionBoundary: "a waiting interrupt is taken at the first instruction that lets it in"
    case .tscOffset: "the guest's TSC has the offset that KVM is told"
    case .enteredShadow: "a VM entry keeps the interrupt shadow"
    case .steadyTSC: "the TSC is one on all processors"
    case .consecutiveShadows: "STI and MOV SS in a row each hold interrupts off"
    case .reservedCR8Bits: "reserved bits of CR8 are refused"
    case .taskPrioritySubclass: "the TPR's lower four bits are kept"
    case .aliasedIDs: "an interrupt reaches all vCPUs of one xAPIC id"
    case .checkedRegisterReads: "reads of x2APIC registers that are not there raise #GP"
    case .reportedTPRAccesses: "writes to the TPR can be reported"
    case .restoredIDs: "APICv comes back when an xAPIC id is its vCPU's again"
    case .disabledAPICsDropIPIs: "a disabled local APIC drops fixed IPIs"
    case .exitingGroupIPIs: "a vCPU leaves the guest for an IPI to several vCPUs"
    case .serviceThroughActivation: "what is in service ends at its EOI when APICv has come back"
    }
  }

  /// What a guest must expect of a host without it.
  public var consequence: String {
    switch self {
    case .inService:
      "ISR and PPR read 0 in handlers, and a lower interrupt can come before the EOI: do not rely on either"
    case .hypercall: "VMCALL and VMMCALL raise an exception or are tried for ever: no PV IPIs, no KVM_HC_KICK_CPU"
    case .instructionBoundary: "STI; HLT may be entered before the interrupt: precise orders of instructions mislead"
    case .tscOffset: "after a restore the TSC goes on with the host's: a deadline may be overdue at once"
    case .enteredShadow: "an interrupt may come between STI and HLT, which then waits for the next one"
    case .steadyTSC: "TSCs of two vCPUs may differ: times across vCPUs mislead"
    case .consecutiveShadows: "an interrupt may come between STI and MOV SS"
    case .reservedCR8Bits: "a guest that relies on #GP for a wrong CR8 gets none"
    case .taskPrioritySubclass: "a TPR written in memory reads back without its subclass"
    case .aliasedIDs: "one of the vCPUs with a doubled id gets none of its interrupts"
    case .checkedRegisterReads: "a wrong RDMSR of an x2APIC register answers something"
    case .reportedTPRAccesses: "KVM_TPR_ACCESS_REPORTING reports nothing"
    case .restoredIDs: "a guest that once changed its xAPIC id is without APICv for good"
    case .disabledAPICsDropIPIs: "a vCPU whose local APIC was disabled takes what it was sent meanwhile"
    case .exitingGroupIPIs: "exits of a sender do not tell how often it sends to several vCPUs"
    case .serviceThroughActivation: "an EOI can be lost when APICv comes back: that vector and lower ones stay blocked"
    }
  }
}
