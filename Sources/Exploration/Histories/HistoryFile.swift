public import JSON
import ReferenceModel
import Support

/// A history in a file, to be run again: `lapwing.history/1`.
public struct HistoryFile: Sendable {
  /// What the file says that it is.
  public static let schema = "lapwing.history/1"
  /// How big a file may be: far beyond what is ever written.
  public static let limits = JSONLimits(bytes: 8 << 20, values: 400_000, depth: 8, stringBytes: 1 << 12)
  static let stepLimit = 20_000

  /// The history.
  public var history: History
  /// The fault that showed it; nil for a kernel.
  public var fault: String?
  /// What differed when it was written.
  public var mismatches: [StateMismatch]

  /// A file's content.
  public init(history: History, fault: String? = nil, mismatches: [StateMismatch] = []) {
    self.history = history
    self.fault = fault
    self.mismatches = mismatches
  }

  /// The document, as it is written.
  public var text: String { String(decoding: value.text, as: UTF8.self) }

  private var value: JSONValue {
    var members: [JSONValue.Member] = [
      JSONValue.Member("schema", .string(Self.schema)),
      JSONValue.Member(
        "machine",
        .object([
          JSONValue.Member("vcpus", .number(Int64(history.machine.vcpus))),
          JSONValue.Member("startsInX2APIC", .bool(history.machine.startsInX2APIC)),
        ])),
      JSONValue.Member("steps", .array(history.steps.map(\.value))),
    ]
    if let fault { members.append(JSONValue.Member("fault", .string(fault))) }
    members.append(
      JSONValue.Member(
        "mismatches",
        .array(
          mismatches.map { mismatch in
            .object([
              JSONValue.Member("place", .string(mismatch.place)),
              JSONValue.Member("expected", .string(mismatch.expected)),
              JSONValue.Member("seen", .string(mismatch.seen)),
            ])
          })))
    return .object(members)
  }
}

extension Step {
  fileprivate var value: JSONValue {
    let members = kind.arguments.enumerated().map { JSONValue.Member($1.name, .hex(arguments[$0])) }
    return .object([JSONValue.Member("do", .string(kind.name))] + members)
  }
}
