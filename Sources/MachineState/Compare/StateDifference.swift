/// A field in which two states differ.
public struct StateDifference: Hashable, Sendable, CustomStringConvertible {
  /// Its place in the document, with the registers of a local APIC by name: `vcpus[0].localAPIC.spurious`.
  public var path: String
  /// What the first state has; nil where it has no such field.
  public var before: String?
  /// What the second has.
  public var after: String?

  /// `path: before -> after`.
  public var description: String { "\(path): \(before ?? "none") -> \(after ?? "none")" }

  /// Whether the field moves with time by itself (`MachineState.movingFields`).
  public var isMoving: Bool {
    MachineState.movingFields.contains { StateDifference.matches(path[...], $0.path[...]) }
  }

  /// Whether a path is what a pattern says, in which `*` stands for anything.
  private static func matches(_ path: Substring, _ pattern: Substring) -> Bool {
    guard let star = pattern.firstIndex(of: "*") else { return path == pattern }
    let start = pattern[..<star]
    let rest = pattern[pattern.index(after: star)...]
    guard path.hasPrefix(start) else { return false }
    var tail = path.dropFirst(start.count)
    while true {
      if matches(tail, rest) { return true }
      if tail.isEmpty { return false }
      tail = tail.dropFirst()
    }
  }
}
