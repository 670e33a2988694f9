/// Why a document is no machine state: the place in it, and what is wrong there.
public struct MalformedState: Error, Hashable, Sendable {
  /// The place, such as `vcpus[1].localAPIC`; empty for the document as a whole.
  public var path: String
  /// What is wrong, and what was expected.
  public var problem: String

  /// A problem at a place.
  public init(_ problem: String, at path: String = "") {
    self.path = path
    self.problem = problem
  }

  /// The same problem, in a member of something.
  func inside(_ member: String) -> MalformedState {
    MalformedState(problem, at: Self.join(member, path))
  }

  /// The path of a member of a member.
  static func join(_ outer: String, _ inner: String) -> String {
    inner.isEmpty ? outer : inner.hasPrefix("[") ? outer + inner : "\(outer).\(inner)"
  }
}

extension MalformedState: CustomStringConvertible {
  /// `vcpus[1].localAPIC: 1024 bytes expected, not 1000`.
  public var description: String { path.isEmpty ? problem : "\(path): \(problem)" }
}

/// Runs what decodes a member, and says of its failure where it happened.
func member<Value>(
  _ name: @autoclosure () -> String, _ decode: () throws(MalformedState) -> Value
) throws(MalformedState) -> Value {
  do throws(MalformedState) {
    return try decode()
  } catch {
    throw error.inside(name())
  }
}
