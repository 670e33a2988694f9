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
