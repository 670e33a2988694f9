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

/// The name that somebody who wrote another one most likely meant.
public enum Suggestion {
  /// A longer name is not compared: nobody mistypes that.
  private static let longest = 64

  /// The name among `names` that is nearest to `name`, where it is near: for every three letters one may be wrong, missing or
  /// too many, and at least one.
  ///
  /// - Returns: The name, or nil where none is near.
  public static func nearest(to name: String, in names: some Sequence<String>) -> String? {
    let wanted = Array(name.utf8)
    guard wanted.count <= longest else { return nil }
    let limit = max(1, wanted.count / 3)
    var best: (name: String, distance: Int)?
    for candidate in names {
      let distance = distance(wanted, Array(candidate.utf8))
      if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
  }

  /// How many bytes have to be changed, added or removed to make one of the other (Levenshtein's distance).
  private static func distance(_ one: [UInt8], _ other: [UInt8]) -> Int {
    guard abs(one.count - other.count) <= longest else { return .max }
    var row = Array(0...other.count)
    for (index, byte) in one.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in other.indices {
        let next = min(diagonal + (byte == other[column] ? 0 : 1), row[column] + 1, row[column + 1] + 1)
        diagonal = row[column + 1]
        row[column + 1] = next
      }
    }
    return row[other.count]
  }
}
