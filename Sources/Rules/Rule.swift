public import ForeignStates
import MachineState

/// Something that can be wrong with a state: how it is seen, and what a person wants to know of it.
///
/// A rule sees only what the state holds. Where a part that it needs is absent, it is silent.
public struct Rule: Sendable {
  /// Its name, such as `timer.no-deadline`.
  public let name: String
  /// What is wrong, in a few words.
  public let title: String
  /// How sure it is.
  public let certainty: RuleCertainty
  /// Why it matters.
  public let why: String
  /// The section of the SDM, the data sheet or KVM that says so.
  public let reference: String
  /// What usually causes it.
  public let cause: String
  /// Where it says nothing though its title might fit; nil where there is nothing of the kind.
  public let silence: String?
  /// Where a state has it.
  let sightings: @Sendable (InspectableState) -> [Sighting]

  /// A place where a state breaks a rule.
  struct Sighting: Hashable, Sendable {
    /// Whose, such as `vCPU 0`.
    var owner: String
    /// What was seen there.
    var seen: String
  }

  init(
    _ name: String, _ title: String, _ certainty: RuleCertainty, why: String, reference: String, cause: String,
    silence: String? = nil, _ sightings: @escaping @Sendable (InspectableState) -> [Sighting]
  ) {
    self.name = name
    self.title = title
    self.certainty = certainty
    self.why = why
    self.reference = reference
    self.cause = cause
    self.silence = silence
    self.sightings = sightings
  }

  /// A rule for vCPUs.
  ///
  /// - Parameter seen: what of it a vCPU shows; nil for nothing.
  init(
    ofVCPU name: String, _ title: String, _ certainty: RuleCertainty, why: String, reference: String, cause: String,
    silence: String? = nil, _ seen: @escaping @Sendable (InspectableVCPU, InspectableState) -> String?
  ) {
    self.init(name, title, certainty, why: why, reference: reference, cause: cause, silence: silence) { state in
      state.vcpus.compactMap { vcpu in
        seen(vcpu, state).map { Sighting(owner: state.owner(vcpu), seen: $0) }
      }
    }
  }
}

extension Rule {
  /// All rules, by what they are about. A new one is a value in its family's list, in the folder Catalogue.
  public static let all: [Rule] = timers + service + identities + lines + chips + execution + clocks
}

/// How sure a rule is.
public enum RuleCertainty: String, Codable, Hashable, Sendable, CaseIterable {
  /// No processor, chip or kernel can be in such a state, or the interrupt is lost for certain.
  case contradiction
  /// A healthy guest can be there for a moment; one that hangs is often found there.
  case suspicion
  /// Worth knowing; by itself no sign of a fault.
  case hint
}

/// What a rule found in a state.
public struct Finding: Codable, Hashable, Sendable {
  /// The rule's name.
  public var rule: String
  /// How sure the rule is.
  public var certainty: RuleCertainty
  /// Whose it is, such as `vCPU 0` or `IOAPIC`.
  public var owner: String
  /// What was seen.
  public var seen: String
  /// Why it matters.
  public var why: String
  /// The section that says so.
  public var reference: String
  /// What usually causes it.
  public var cause: String
}

extension InspectableState {
  /// What is wrong with the state, what is surest first.
  ///
  /// - Parameter rules: the rules to look with.
  public func findings(by rules: [Rule] = Rule.all) -> [Finding] {
    let vcpus = vcpus.count
    let found = rules.flatMap { rule in
      // A vCPU has a fault once; a table of routes that is all wrong need not be told in full.
      rule.sightings(self).prefix(max(vcpus, 64)).map { sighting in
        Finding(
          rule: rule.name, certainty: rule.certainty, owner: sighting.owner, seen: sighting.seen, why: rule.why,
          reference: rule.reference, cause: rule.cause)
      }
    }
    return RuleCertainty.allCases.flatMap { certainty in found.filter { $0.certainty == certainty } }
  }

  /// What a person calls a vCPU of this state.
  func owner(_ vcpu: InspectableVCPU) -> String {
    format == .pages && machine.vcpus.count == 1 ? "local APIC" : "vCPU \(vcpu.index)"
  }
}
