/// A pattern in which `*` stands for any characters, also for none.
public struct WildcardPattern: Hashable, Sendable {
  /// The pattern as it was written.
  public let text: String

  private static let star = UInt8(ascii: "*")

  /// A pattern.
  public init(_ text: String) { self.text = text }

  /// Whether there is a `*` in it: without one, only the text itself matches.
  public var hasWildcard: Bool { text.utf8.contains(Self.star) }

  /// Whether all of `subject` is like the pattern.
  ///
  /// It takes at most as many steps as the pattern's length times the subject's: where the characters behind a `*` do not
  /// match, that `*` takes one more character. What stands before an earlier `*` has matched as early as it can, so no
  /// earlier one has to be tried again.
  public func matches(_ subject: some StringProtocol) -> Bool {
    let pattern = Array(text.utf8)
    let subject = Array(subject.utf8)
    var place = 0
    var position = 0
    var lastStar: (place: Int, position: Int)?
    while position < subject.count {
      if place < pattern.count, pattern[place] == Self.star {
        lastStar = (place, position)
        place += 1
      } else if place < pattern.count, pattern[place] == subject[position] {
        place += 1
        position += 1
      } else if let star = lastStar {
        lastStar = (star.place, star.position + 1)
        place = star.place + 1
        position = star.position + 1
      } else {
        return false
      }
    }
    return pattern[place...].allSatisfy { $0 == Self.star }
  }
}
