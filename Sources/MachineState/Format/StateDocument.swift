/// A machine's state as a JSON document of the format `lapwing.machine-state`, which docs/machine-state.md describes.
public struct StateDocument: Sendable {
  /// The document's type.
  public static let format = "lapwing.machine-state"
  /// What this program writes, and the newest that it knows.
  public static let version = FormatVersion(major: 1, minor: 1)

  /// The state.
  public var state: MachineState
  /// The version that the document says of itself.
  public var version = StateDocument.version
  /// The members that this program does not know and has left out, by path: those of a newer minor version.
  public var unknownMembers: [String] = []

  /// The document of a state.
  public init(_ state: MachineState) { self.state = state }

  /// Reads a document, every field of which is checked.
  ///
  /// - Parameter text: JSON, in UTF-8.
  /// - Throws: `MalformedState` for what is no such document, for a newer major version, and for a field that is missing,
  ///   out of range or contradicts another.
  public init(text: [UInt8]) throws(MalformedState) {
    let json = try JSONParser.parse(text)
    let notes = DecodingNotes()
    var reader = try ObjectReader(json, DecodingNotes())
    let format = try reader.required("format") { json, _ throws(MalformedState) in try json.text(atMost: 256) }
    guard format == Self.format else {
      throw MalformedState("a document of the format \"\(Self.format)\" expected, not \"\(format)\"", at: "format")
    }
    version = try reader.required("version") { json, _ throws(MalformedState) in
      let text = try json.text(atMost: 40)
      guard let version = FormatVersion(text) else {
        throw MalformedState("a version such as \"\(Self.version)\" expected, not \"\(text)\"")
      }
      guard version.major == Self.version.major else {
        throw MalformedState("version \(version) cannot be read: this program reads \(Self.version.major).x")
      }
      return version
    }
    state = try MachineState(json: json, notes)
    try state.validate()
    unknownMembers = notes.unknownMembers
  }

  /// The document's text.
  public var text: [UInt8] { JSONText.of(state.json) }
}

/// A version: within one major version, readers leave out what they do not know.
public struct FormatVersion: Hashable, Sendable, CustomStringConvertible {
  /// Changes when older readers would misunderstand.
  public var major: Int
  /// Changes when members are added.
  public var minor: Int

  init(major: Int, minor: Int) {
    self.major = major
    self.minor = minor
  }

  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let major = UInt16(parts[0]), let minor = UInt16(parts[1]) else { return nil }
    self.init(major: Int(major), minor: Int(minor))
  }

  /// `1.0`.
  public var description: String { "\(major).\(minor)" }
}
