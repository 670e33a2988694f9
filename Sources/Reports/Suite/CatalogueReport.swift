public import Scenarios
import Support
import VMM

/// The cases that there are: the value behind `lapwing test --list`, the JSON document `lapwing.scenarios/1`, and
/// docs/scenarios.md.
public struct CatalogueReport: Codable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.scenarios/1"

  /// `lapwing.scenarios/1`.
  public var schema = CatalogueReport.schema
  /// The scenarios, in the catalogue's order.
  public var scenarios: [Entry]

  /// A scenario.
  public struct Entry: Codable, Sendable {
    /// Its id.
    public var id: String
    /// The first word of its id.
    public var family: String
    /// What holds.
    public var title: String
    /// The ids of its cases: one for each APIC mode.
    public var cases: [String]
    /// These modes: `xAPIC`, `x2APIC`, `disabled`.
    public var modes: [String]
    /// How many vCPUs its machine has.
    public var vcpus: Int
    /// The kernel functions, KVM calls and SDM sections that it exercises.
    public var exercises: [String]
    /// What a host must have.
    public var needs: [String]
    /// How its interrupts must get to the guest: `any`, `software`, `posted-or-software`,
    /// `virtual-delivery-or-software`, `virtual-delivery` or `posted`.
    public var path: String
    /// Why there is no stimulus to withhold; absent where there is one.
    public var noSabotage: String?
  }

  /// The catalogue of these cases.
  public init(_ cases: [ScenarioCase]) {
    scenarios = []
    for item in cases {
      if scenarios.last?.id == item.scenario.id {
        scenarios[scenarios.count - 1].cases.append(item.id)
      } else {
        scenarios.append(Entry(item))
      }
    }
  }
}

extension CatalogueReport.Entry {
  init(_ item: ScenarioCase) {
    let scenario = item.scenario
    id = scenario.id
    family = item.family
    title = scenario.title
    cases = [item.id]
    modes = scenario.modes.map { "\($0)" }
    vcpus = scenario.configuration.vcpus
    exercises = scenario.exercises
    needs = scenario.allNeeds.map(\.name)
    path = scenario.path.name
    if case .impossible(let reason) = scenario.sabotage { noSabotage = reason }
  }
}

extension CatalogueReport {
  /// The cases for a person, a line each.
  public func text(_ style: Style = Style()) -> String {
    let cases = scenarios.flatMap { entry in entry.cases.map { (id: $0, title: entry.title) } }
    let width = cases.map { TextLine($0.id).width }.max() ?? 0
    return cases.map { style.bold(TextLine($0.id).padded(to: width)) + "  \($0.title)" }.text
  }
}

extension PathDemand {
  /// A word for it, in reports.
  var name: String {
    switch self {
    case .any: "any"
    case .software: "software"
    case .postedOrSoftware: "posted-or-software"
    case .virtualDeliveryOrSoftware: "virtual-delivery-or-software"
    case .virtualDelivery: "virtual-delivery"
    case .posted: "posted"
    }
  }
}

extension CatalogueReport {
  /// The catalogue as a page: docs/scenarios.md.
  public var markdown: String {
    var lines = [
      "# The scenarios", "",
      "Written by `lapwing test --list --format markdown`; a test checks that this page is what that command prints.",
      "",
      "`lapwing test` runs \(Units.count(scenarios.flatMap(\.cases).count, "case")): "
        + "\(Units.count(scenarios.count, "scenario")), each in xAPIC and in x2APIC mode where both apply.",
    ]
    lines += ["", "## By system", "", "| System | Scenarios |", "| --- | --- |"]
    for (system, ids) in coverage { lines.append("| \(system) | \(ids.map { "`\($0)`" }.joined(separator: ", ")) |") }
    var families: [String] = []
    for entry in scenarios where !families.contains(entry.family) { families.append(entry.family) }
    for family in families {
      lines += [
        "", "## \(family)", "", "| Scenario | What holds | Exercises | Modes, vCPUs, needs |",
        "| --- | --- | --- | --- |",
      ]
      lines += scenarios.filter { $0.family == family }.map(\.row)
    }
    lines += ["", "## Nothing to withhold", ""]
    let impossible = scenarios.filter { $0.noSabotage != nil }
    if impossible.isEmpty {
      lines.append("Every scenario has a stimulus, without which `lapwing test --sabotage` sees it fail.")
    } else {
      lines += ["`lapwing test --sabotage` skips these:", ""]
      lines += impossible.map { "- `\($0.id)`: \($0.noSabotage ?? "")" }
    }
    return lines.joined(separator: "\n")
  }

  /// The systems that the suite sets out to cover, each with the ids of the scenarios that exercise it.
  public var coverage: [(system: String, ids: [String])] {
    CoveredSystem.all.map { system in
      (system.name, scenarios.filter { $0.exercises.contains(where: system.includes) }.map(\.id))
    }
  }
}

extension CatalogueReport.Entry {
  fileprivate var row: String {
    let cells = [
      "`\(id)`", title, exercises.map { $0.contains("_") ? "`\($0)`" : $0 }.joined(separator: ", "), conditions,
    ]
    return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
  }

  private var conditions: String {
    let mode = modes.count > 1 ? "both" : modes.joined()
    let path = path == "any" ? [] : ["path: \(path)"]
    return ([mode, "\(vcpus)"] + needs + path).joined(separator: ", ")
  }
}
