import APIC
import Support

extension DifferenceReport {
  /// The difference for a person: owner by owner, a line a register.
  ///
  /// - Parameters:
  ///   - style: how it is drawn.
  ///   - showsAll: whether what every capture has anew is shown in full, too.
  public func text(_ style: Style = Style(), showsAll: Bool = false) -> String {
    let shown = differences.filter { showsAll || !$0.movesWithTime }
    var lines: [TextLine] = []
    var owner: String?
    let width = shown.map { TextLine($0.name).width }.max() ?? 0
    for difference in shown {
      if difference.owner != owner { lines.append(style.bold("\(difference.owner)")) }
      owner = difference.owner
      let note: TextLine = difference.movesWithTime ? style.dim("  (anew in every capture)") : ""
      lines.append("  \(TextLine(difference.name).padded(to: width))  \(difference.words)\(note)")
    }
    if let memory, memory.pages > 0 { lines += memoryLines(memory, style) }
    for part in leftOut ?? [] {
      lines.append(
        style.dim(
          "the \(part.lackedBy) state does not hold, of \(part.owner): " + part.names.lines.joined(separator: ", ")))
    }
    let moved = differences.filter(\.movesWithTime)
    if !moved.isEmpty, !showsAll {
      lines.append(
        style.dim("anew in every capture: " + moved.map { "\($0.owner) \($0.name)" }.joined(separator: ", ")))
    }
    return (lines + [summary]).text
  }

  private var summary: TextLine {
    let count = differences.count { !$0.movesWithTime }
    let registers = Units.count(count, "register differs", plural: "registers differ")
    switch memory {
    case nil: return count == 0 ? "the same state; memory was not compared" : "\(registers); memory was not compared"
    case let memory? where memory.pages == 0: return count == 0 ? "the same state" : "\(registers), memory is the same"
    case let memory?:
      return "\(registers), \(Units.count(memory.pages, "page")) of memory \(memory.pages == 1 ? "differs" : "differ")"
    }
  }

  private func memoryLines(_ memory: MemoryDifference, _ style: Style) -> [TextLine] {
    let shown: [TextLine] = memory.runs.prefix(8).map { run in
      "  \(hex(run.address))  \(Units.count(run.pages, "page"))"
    }
    let rest = memory.pages - memory.runs.prefix(8).reduce(0) { $0 + $1.pages }
    return [style.bold("memory")] + shown + (rest > 0 ? ["  and \(Units.count(rest, "page")) more"] : [])
  }
}

extension DifferenceReport.Difference {
  /// Before and after, with the meaning where it says more than the value.
  fileprivate var words: TextLine {
    guard let before else { return "\(after?.words ?? TextLine()), which the first state does not have" }
    guard let after else { return "\(before.words), which the second state does not have" }
    if before.value == after.value { return "\(before.value): \(before.meaning) -> \(after.meaning)" }
    return "\(before.words) -> \(after.words)\(DifferenceReport.Difference.members(before.value, after.value))"
  }

  /// For sets of vectors, what came and what went.
  private static func members(_ before: String, _ after: String) -> TextLine {
    guard before.hasPrefix("{"), after.hasPrefix("{") else { return "" }
    let (old, new) = (list(before), list(after))
    let changes = new.filter { !old.contains($0) }.map { "+\($0)" } + old.filter { !new.contains($0) }.map { "-\($0)" }
    return changes.isEmpty ? "" : " (" + changes.lines.joined(separator: " ") + ")"
  }

  private static func list(_ set: String) -> [String] {
    set.dropFirst().dropLast().split(separator: ",").map { String($0.drop { $0 == " " }) }
  }
}

extension DifferenceReport.Side {
  fileprivate var words: TextLine { meaning.isEmpty ? "\(value)" : "\(value) (\(meaning))" }
}
