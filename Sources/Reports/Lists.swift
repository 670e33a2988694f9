public import Measurements
import Support

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
    let width = guests.map { TextLine($0.name).width }.max() ?? 0
    return guests.map { style.bold(TextLine($0.name).padded(to: width)) + "  \($0.summary)" }.text
  }
}

/// What `lapwing bench` can measure: the value behind `lapwing bench --list` and the JSON document
/// `lapwing.measurements/1`.
public struct MeasurementList: Codable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.measurements/1"

  /// `lapwing.measurements/1`.
  public var schema = MeasurementList.schema
  /// The measurements, in the catalogue's order.
  public var measurements: [Entry]

  /// One of them, in one APIC mode.
  public struct Entry: Codable, Sendable {
    /// Its id.
    public var id: String
    /// What is timed, in a line.
    public var title: String
    /// `cost`, `latency` or `lateness`.
    public var quantity: String
    /// From what to what.
    public var span: String
    /// What the host does for it; absent where that is nothing.
    public var stimulus: String?
  }

  /// The list of these measurements.
  public init(_ cases: [MeasurementCase]) {
    measurements = cases.map {
      Entry(
        id: $0.id, title: $0.measurement.title, quantity: $0.measurement.quantity.rawValue,
        span: $0.measurement.span, stimulus: $0.measurement.stimulus)
    }
  }

  /// A line each, for a person.
  public var text: String {
    let width = measurements.map { TextLine($0.id).width }.max() ?? 0
    return measurements.map { TextLine($0.id).padded(to: width) + "  \($0.title), \($0.span)" }.text
  }
}
