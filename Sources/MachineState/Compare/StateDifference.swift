import Support

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
    MachineState.movingFields.contains { WildcardPattern($0.path).matches(path) }
  }
}
