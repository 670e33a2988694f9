import Support

/// Which tests of a configuration are to be run.
public struct UnitTestSelection: Sendable {
  /// Names, or patterns in which `*` stands for anything; none for all.
  public var names: [String]
  /// Groups of which a test has to be in one; none for all.
  public var groups: [String]

  /// A selection.
  public init(names: [String] = [], groups: [String] = []) {
    self.names = names
    self.groups = groups
  }

  /// A name, or a group, that no test has.
  public struct Unknown: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public let description: String
  }

  /// Whether somebody asks for tests by name or group, so that those are run too that are not run otherwise.
  public var isParticular: Bool { !names.isEmpty || !groups.isEmpty }

  /// The tests that are selected, in their order.
  ///
  /// - Throws: `Unknown` for the first name or group that selects nothing.
  public func select(from tests: [UnitTest]) throws(Unknown) -> [UnitTest] {
    for group in groups where !tests.contains(where: { $0.groups.contains(group) }) {
      throw Unknown(description: "no test is in the group '\(group)'")
    }
    let patterns = names.map { (name: $0, pattern: WildcardPattern($0)) }
    for (name, pattern) in patterns where !tests.contains(where: { pattern.matches($0.name) }) {
      throw Unknown(description: "no test has the name '\(name)'")
    }
    return tests.filter { test in
      (names.isEmpty || patterns.contains { $0.pattern.matches(test.name) })
        && (groups.isEmpty || groups.contains(where: test.groups.contains))
    }
  }
}
