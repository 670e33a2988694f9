public import KVM
public import Scenarios
import Support

/// What a host can do: the value behind `lapwing doctor` and the JSON document `lapwing.doctor/1`.
public struct DoctorReport: Codable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.doctor/1"

  /// `lapwing.doctor/1`.
  public var schema = DoctorReport.schema
  /// What wrote it, and on which host; absent where that was not said.
  public var origin: ReportOrigin?
  /// Whether guests can run here at all.
  public var canRun: Bool
  /// The release of the kernel.
  public var kernel: String
  /// The kernel module behind /dev/kvm; absent where none is loaded.
  public var backEnd: String?
  /// What KVM_GET_API_VERSION says; absent where /dev/kvm cannot be opened.
  public var apiVersion: Int?
  /// Why /dev/kvm cannot be opened, where it cannot.
  public var deviceError: String?
  /// What the host's features are, one by one.
  public var features: [Feature]
  /// What KVM_CHECK_EXTENSION says, by names such as `KVM_CAP_IRQCHIP`.
  public var capabilities: [String: Int]
  /// The parameters of KVM's modules, by module and name.
  public var modules: [String: [String: String]]
  /// What this kernel lets a process give up before it runs a guest; absent where that was not asked.
  public var confinement: ConfinementReport?
  /// What only trying tells; absent where nothing was tried.
  public var traits: [TraitReport]?

  /// One thing that a host has or lacks.
  public struct Feature: Codable, Sendable {
    /// A stable word for programs.
    public var id: String
    /// A few words for people.
    public var title: String
    /// Whether the host has it, by its name.
    public var state: HostFeature.State
    /// What that rests on.
    public var evidence: String
    /// What to do about it, where something can be done.
    public var hint: String?
  }

  /// The report of a survey.
  public init(_ survey: HostSurvey) {
    canRun = survey.deviceError == nil && survey.apiVersion != nil
    kernel = survey.kernelRelease
    backEnd = survey.backEnd?.moduleName
    apiVersion = survey.apiVersion
    deviceError = survey.deviceError?.description
    features = survey.features.map {
      Feature(
        id: $0.id.rawValue, title: $0.id.title, state: $0.state, evidence: $0.evidence, hint: $0.hint)
    }
    capabilities = Dictionary(survey.capabilities.map { ($0.capability.name, $0.value) }) { first, _ in first }
    modules = Dictionary(survey.modules.map { ($0.name, $0.parameters) }) { first, _ in first }
  }
}

extension DoctorReport {
  /// The report for a person.
  ///
  /// - Parameters:
  ///   - style: plain or with colour.
  ///   - everything: capabilities and module parameters too.
  public func text(_ style: Style = Style(), everything: Bool = false) -> String {
    var lines: [TextLine] = [
      style.bold("host") + "  Linux \(kernel), back end \(backEnd ?? "none"), "
        + "\(apiVersion.map { "KVM API \($0)" } ?? "no KVM")",
      "",
    ]
    let width = features.map { TextLine($0.title).width }.max() ?? 0
    for feature in features {
      lines.append(
        "  \(mark(feature, style))  \(TextLine(feature.title).padded(to: width))  \(style.dim("\(feature.evidence)"))")
      if let hint = feature.hint { lines.append("       \(TextLine(blanks: width))  \(hint)") }
    }
    if let confinement { lines += confinement.lines(style) }
    lines += traitLines(style)
    if everything { lines += capabilityLines(style) + moduleLines(style) }
    lines.append("")
    lines.append(canRun ? "This host runs guests." : style.red("This host runs no guests: ") + "\(deviceError ?? "")")
    return lines.text
  }

  private func mark(_ feature: Feature, _ style: Style) -> TextLine {
    switch feature.state {
    case .available: style.green("yes")
    case .missing: style.red("no ")
    case .unknown: style.yellow("?  ")
    }
  }

  private func capabilityLines(_ style: Style) -> [TextLine] {
    var table = Table()
    for (name, value) in capabilities.sorted(by: { $0.key < $1.key }) { table.add(["\(name)", "\(value)"]) }
    return ["", style.bold("capabilities")] + table.lines()
  }

  private func moduleLines(_ style: Style) -> [TextLine] {
    var table = Table()
    for (module, parameters) in modules.sorted(by: { $0.key < $1.key }) {
      for (name, value) in parameters.sorted(by: { $0.key < $1.key }) { table.add(["\(module).\(name)", "\(value)"]) }
    }
    return ["", style.bold("module parameters")] + table.lines()
  }
}

/// A trait of a host that only trying tells, and what it means for guests.
public struct TraitReport: Codable, Sendable {
  /// A stable word for programs.
  public var id: String
  /// A sentence for people.
  public var title: String
  /// What was found, by its name.
  public var verdict: TraitTrial.Verdict
  /// What that rests on.
  public var evidence: String
  /// What a guest must expect; absent where the host has the trait.
  public var consequence: String?

  init(_ trial: TraitTrial) {
    id = trial.trait.rawValue
    title = trial.trait.title
    verdict = trial.verdict
    evidence = trial.evidence
    consequence = trial.verdict == .present ? nil : trial.trait.consequence
  }
}

extension DoctorReport {
  /// Adds what was found by trying.
  public mutating func add(_ trials: [TraitTrial]) { traits = trials.map(TraitReport.init) }

  /// The traits for a person.
  func traitLines(_ style: Style) -> [TextLine] {
    guard let traits else { return [] }
    let width = traits.map(\.title.count).max() ?? 0
    var lines: [TextLine] = ["", style.bold("tried with a guest each")]
    for trait in traits {
      let mark =
        switch trait.verdict {
        case .present: style.green("yes")
        case .absent: style.red("no ")
        case .undecided: style.yellow("?  ")
        }
      lines.append("  \(mark)  \(TextLine(trait.title).padded(to: width))  \(style.dim("\(trait.evidence)"))")
      if let consequence = trait.consequence { lines.append("       \(consequence)") }
    }
    return lines
  }
}
