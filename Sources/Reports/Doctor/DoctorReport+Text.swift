extension DoctorReport {
  /// The report for a person.
  ///
  /// - Parameters:
  ///   - style: plain or with colour.
  ///   - everything: capabilities and module parameters too.
  public func text(_ style: Style = Style(), everything: Bool = false) -> String {
    var lines = [
      style.bold("host") + "  Linux \(kernel), back end \(backEnd ?? "none"), "
        + (apiVersion.map { "KVM API \($0)" } ?? "no KVM"),
      "",
    ]
    let width = features.map(\.title.count).max() ?? 0
    for feature in features {
      lines.append("  \(mark(feature, style))  \(feature.title.padded(to: width))  \(style.dim(feature.evidence))")
      if let hint = feature.hint { lines.append("       \(String(repeating: " ", count: width))  \(hint)") }
    }
    if everything { lines += capabilityLines(style) + moduleLines(style) }
    lines.append("")
    lines.append(canRun ? "This host runs guests." : style.red("This host runs no guests: ") + (deviceError ?? ""))
    return lines.joined(separator: "\n")
  }

  private func mark(_ feature: Feature, _ style: Style) -> String {
    switch feature.state {
    case "available": style.green("yes")
    case "missing": style.red("no ")
    default: style.yellow("?  ")
    }
  }

  private func capabilityLines(_ style: Style) -> [String] {
    var table = Table()
    for (name, value) in capabilities.sorted(by: { $0.key < $1.key }) { table.add([name, "\(value)"]) }
    return ["", style.bold("capabilities")] + table.lines()
  }

  private func moduleLines(_ style: Style) -> [String] {
    var table = Table()
    for (module, parameters) in modules.sorted(by: { $0.key < $1.key }) {
      for (name, value) in parameters.sorted(by: { $0.key < $1.key }) { table.add(["\(module).\(name)", value]) }
    }
    return ["", style.bold("module parameters")] + table.lines()
  }
}
