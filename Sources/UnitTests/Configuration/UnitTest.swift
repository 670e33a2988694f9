import Support

/// A test as kvm-unit-tests' configuration describes it: an image, and what it wants to be run with. The texts are the
/// file's own.
public struct UnitTest: Hashable, Sendable {
  /// Its name, which is no path.
  public var name: String
  /// The image's file, beside the configuration.
  public var file = ""
  /// How many vCPUs; 1 where it does not say.
  public var smp = ""
  /// What the image finds as its arguments, in the shell's quotes.
  public var arguments = ""
  /// Further options of QEMU's, in the shell's quotes.
  public var options = ""
  /// The groups that it is in.
  public var groups: [String] = []
  /// The architecture that it is for; empty for any.
  public var architecture = ""
  /// The machine that it is for; empty for any.
  public var machine = ""
  /// The accelerator that it is for; empty for any.
  public var accelerator = ""
  /// What has to be in files of the host's: `PATH=VALUE`, with blanks between.
  public var check = ""
  /// How long it may take, as timeout(1) reads it; 90 seconds where it does not say.
  public var timeout = ""
  /// A shell's condition under which it is not to be run.
  public var disabledIf = ""
  /// Options of the file's that are not known here.
  public var unknown: [String] = []
  /// The line of the file that names it; 0 for a test that is in none.
  public var line = 0

  /// A test of that name.
  public init(name: String) { self.name = name }
}

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
