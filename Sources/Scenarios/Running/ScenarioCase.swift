public import APIC

/// A scenario in one of its APIC modes: what is run, counted and reported.
public struct ScenarioCase: Sendable {
  /// The scenario.
  public let scenario: Scenario
  /// The mode.
  public let mode: APICMode
  /// Whether a parked vCPU keeps APICv off meanwhile.
  public var isAPICvInhibited = false

  /// The scenario's id, with the mode behind it where it is run in more than one: `ipi.self.x2apic`.
  public var id: String {
    guard scenario.modes.count > 1 else { return scenario.id }
    return scenario.id + (mode == .x2APIC ? ".x2apic" : ".xapic")
  }

  /// All cases of a catalogue, in its order.
  public static func all(of catalogue: [Scenario]) -> [ScenarioCase] {
    catalogue.flatMap { scenario in scenario.modes.map { ScenarioCase(scenario: scenario, mode: $0) } }
  }
}

extension ScenarioCase {
  /// The first word of its id, which cases about one thing share.
  public var family: String { String(id.prefix { $0 != "." }) }

  /// Every case, and behind it the same with APICv kept off: so both meet the same host.
  public static func pairs(of cases: [ScenarioCase]) -> [ScenarioCase] {
    cases.flatMap { testCase in
      var inhibited = testCase
      inhibited.isAPICvInhibited = true
      return [testCase, inhibited]
    }
  }
}
