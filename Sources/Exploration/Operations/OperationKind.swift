import KVM

/// An argument of an operation: which values make sense, from the simplest on.
///
/// A history picks among them; shrinking tries those before.
public struct OperationArgument: Sendable {
  /// Its name in files.
  public let name: String
  /// The values, from simple to special.
  public let values: [UInt64]

  init(_ name: String, _ values: [UInt64]) {
    self.name = name
    self.values = values
  }
}

/// The arguments of one step, in the order of the operation's.
public typealias StepArguments = InlineArray<7, UInt64>

/// Something that can be done to a machine's interrupt controllers, whoever has them.
///
/// A new one is a value in one of the families' files; a new family is a file, and a line in `OperationKind.all`.
public struct OperationKind: Sendable {
  /// A name that files and reports have, as in `msi.send`.
  public let name: String
  /// What it does, in a few words.
  public let summary: String
  /// What it takes.
  public let arguments: [OperationArgument]
  /// How often it is chosen, compared with others.
  public let weight: Int
  /// Whether a vCPU must execute instructions for it.
  public let needsGuest: Bool
  let perform: @Sendable (StepArguments, any InterruptSubject) throws(KVMError) -> StepAnswer

  init(
    _ name: String, _ summary: String, _ arguments: [OperationArgument], weight: Int = 10, needsGuest: Bool = false,
    _ perform: @escaping @Sendable (StepArguments, any InterruptSubject) throws(KVMError) -> StepAnswer
  ) {
    self.name = name
    self.summary = summary
    self.arguments = arguments
    self.weight = weight
    self.needsGuest = needsGuest
    self.perform = perform
  }

  /// The family: what stands before the point.
  public var family: String { String(name.prefix { $0 != "." }) }

  /// Every operation, by family.
  public static let all: [OperationKind] =
    messages + lines + routing + registers + interprocessor + modes + timers + localAPICStates + chips + events + guests
    + memory + ports

  /// The families, in order.
  public static let families: [String] = {
    var names: [String] = []
    for kind in all where !names.contains(kind.family) { names.append(kind.family) }
    return names
  }()

  static let numbers: [String: Int] = Dictionary(
    all.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
}

extension InterruptSubject {
  /// The vCPU of an operation whose first argument is one.
  func vcpu(of arguments: StepArguments) -> Int { Int(truncatingIfNeeded: arguments[0]) % vcpuCount }
}
