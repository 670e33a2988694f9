/// A pattern in which `*` stands for any characters, also for none.
public struct SuitePattern: Sendable {
  private let parts: [Substring]

  /// A pattern.
  public init(_ text: String) {
    parts = text.split(separator: "*", omittingEmptySubsequences: false)
  }

  /// Whether all of `text` is like the pattern.
  public func matches(_ text: String) -> Bool {
    guard let first = parts.first, let last = parts.last, parts.count > 1 else { return text == parts.first ?? "" }
    guard text.hasPrefix(first), text.dropFirst(first.count).hasSuffix(last) else { return false }
    var rest = text.dropFirst(first.count).dropLast(last.count)
    // Each part as early as it comes: what matches later then has all the room there is.
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let range = rest.firstRange(of: part) else { return false }
      rest = rest[range.upperBound...]
    }
    return true
  }
}
