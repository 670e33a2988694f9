public import Scenarios
import Support

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
