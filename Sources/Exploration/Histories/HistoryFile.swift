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
    let own = isConcurrent ? [JSONValue.Member("actors", .array(actors.map { .array($0.map(\.value)) }))] : []
    return .object([JSONValue.Member("do", .string(kind.name))] + members + own)
  }
}

extension HistoryFile {
  /// Reads a document.
  ///
  /// - Parameter text: The file's bytes, whoever wrote them.
  /// - Throws: `JSONError` with the place of what is wrong.
  public init(reading text: [UInt8]) throws(JSONError) {
    let document = try JSONValue(parsing: text, limits: Self.limits)
    guard case .object(let members) = document else { throw JSONError("an object expected") }
    guard members.first(where: { $0.name == "schema" })?.value == .string(Self.schema) else {
      throw JSONError("\(Self.schema) expected", at: "schema")
    }
    var machine: HistoryMachine?
    var steps: [Step]?
    var fault: String?
    for member in members {
      switch (member.name, member.value) {
      case ("schema", _), ("mismatches", _): continue
      case ("machine", .object(let fields)): machine = try HistoryMachine(reading: fields)
      case ("fault", .string(let name)): fault = name
      case ("steps", .array(let values)):
        guard values.count <= Self.stepLimit else { throw JSONError("more than \(Self.stepLimit) steps", at: "steps") }
        var read: [Step] = []
        for (number, value) in values.enumerated() { read.append(try Step(reading: value, at: "steps[\(number)]")) }
        steps = read
      default: throw JSONError("it is not known, or not of this kind", at: member.name)
      }
    }
    guard let machine else { throw JSONError("missing", at: "machine") }
    guard let steps else { throw JSONError("missing", at: "steps") }
    if let fault, Fault.named(fault) == nil { throw JSONError("there is no such fault", at: "fault") }
    self.init(history: History(machine: machine, steps: steps), fault: fault)
  }
}

extension HistoryMachine {
  fileprivate init(reading fields: [JSONValue.Member]) throws(JSONError) {
    var vcpus = 0
    var startsInX2APIC = false
    for field in fields {
      switch (field.name, field.value) {
      case ("vcpus", .number(let count)) where 1...4 ~= count: vcpus = Int(count)
      case ("vcpus", _): throw JSONError("1 to 4 expected", at: "machine.vcpus")
      case ("startsInX2APIC", .bool(let flag)): startsInX2APIC = flag
      default: throw JSONError("it is not known, or not of this kind", at: "machine.\(field.name)")
      }
    }
    guard vcpus > 0 else { throw JSONError("missing", at: "machine.vcpus") }
    self.init(vcpus: vcpus, startsInX2APIC: startsInX2APIC)
  }
}

extension Step {
  fileprivate init(reading value: JSONValue, at place: String) throws(JSONError) {
    guard case .object(let members) = value, let name = members.first(where: { $0.name == "do" })?.value,
      case .string(let operation) = name
    else { throw JSONError("an object with a member 'do' expected", at: place) }
    guard let number = OperationKind.numbers[operation] else {
      throw JSONError("there is no operation '\(operation)'", at: place)
    }
    let kind = OperationKind.all[number]
    var arguments = StepArguments(repeating: 0)
    for (index, argument) in kind.arguments.enumerated() {
      guard case .string(let text)? = members.first(where: { $0.name == argument.name })?.value,
        let value = Hexadecimal.integer(text)
      else { throw JSONError("a number such as 0x40 expected", at: "\(place).\(argument.name)") }
      arguments[index] = value
    }
    let isConcurrent = number == OperationKind.concurrentPart
    if let extra = members.first(where: { member in
      member.name != "do" && !(isConcurrent && member.name == "actors")
        && !kind.arguments.contains { $0.name == member.name }
    }) {
      throw JSONError("\(operation) has no such argument", at: "\(place).\(extra.name)")
    }
    self.init(operation: number, arguments: arguments)
    guard isConcurrent else { return }
    actors = try Self.actors(reading: members.first { $0.name == "actors" }?.value, at: "\(place).actors")
  }

  private static func actors(reading value: JSONValue?, at place: String) throws(JSONError) -> [[Step]] {
    guard case .array(let actors) = value, actors.count <= actorLimit else {
      throw JSONError("an array of at most \(actorLimit) arrays of steps expected", at: place)
    }
    var read: [[Step]] = []
    for (number, value) in actors.enumerated() {
      let place = "\(place)[\(number)]"
      guard case .array(let values) = value else { throw JSONError("an array of steps expected", at: place) }
      var own: [Step] = []
      for (number, value) in values.enumerated() {
        let step = try Step(reading: value, at: "\(place)[\(number)]")
        guard step.kind.mayBeConcurrent else {
          throw JSONError("nobody does \(step.kind.name) at the same time as others", at: "\(place)[\(number)]")
        }
        own.append(step)
      }
      read.append(own)
    }
    guard read.map(\.count).reduce(0, +) <= concurrentStepLimit else {
      throw JSONError("more than \(concurrentStepLimit) steps", at: place)
    }
    return read
  }
}
