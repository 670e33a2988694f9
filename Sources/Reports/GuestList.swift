/// The guests that are built in: the value behind `lapwing list` and the JSON document `lapwing.guests/1`.
public struct GuestList: Codable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.guests/1"

  /// `lapwing.guests/1`.
  public var schema = GuestList.schema
  /// The guests, by name.
  public var guests: [Guest]

  /// One of them.
  public struct Guest: Codable, Sendable {
    /// What `lapwing run` calls it.
    public var name: String
    /// What it does, in a line.
    public var summary: String

    /// A guest with that name and that line.
    public init(name: String, summary: String) {
      self.name = name
      self.summary = summary
    }
  }

  /// A list of these guests.
  public init(guests: [Guest]) {
    self.guests = guests
  }

  /// The list for a person, a line a guest.
  public func text(_ style: Style = Style()) -> String {
    let width = guests.map(\.name.count).max() ?? 0
    return guests.map { style.bold($0.name.padded(to: width)) + "  " + $0.summary }.joined(separator: "\n")
  }
}
