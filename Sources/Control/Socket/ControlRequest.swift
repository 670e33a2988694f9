import APIC
public import JSON
import Support
import VMM

/// What a client of the control socket asks for.
public struct ControlRequest: Hashable, Sendable {
  /// What it calls the request; nil where it does not.
  public var id: JSONValue?
  /// What is to be done.
  public var action: Action

  /// What can be done with a machine.
  public enum Action: Hashable, Sendable {
    /// `line`, `msi`, `nmi` or `irqfd`.
    case inject(Stimulus)
    /// Takes all vCPUs out of the guest.
    case pause
    /// Lets them go on.
    case resume
    /// The machine's state, without its memory.
    case inspect(StateFormat)
    /// State and memory into a file.
    case snapshot(file: String)
    /// KVM's statistics.
    case statistics
    /// Ends the machine.
    case stop
  }

  /// How a state is shown, each with its word.
  public enum StateFormat: String, Hashable, Sendable, CaseIterable {
    /// A document `lapwing.machine-state`.
    case document = "json"
    /// The inspector's words.
    case text
  }
}

/// Why a line is no request.
public struct ControlRequestError: Error, Hashable, Sendable {
  /// What it calls itself, as far as it does.
  public var id: JSONValue?
  /// What is wrong, and what is wanted.
  public var problem: String
}

extension ControlRequest {
  /// The verbs, each with the members that it has beside `id` and `verb`.
  private static let verbs: [(name: String, members: [String])] = [
    ("line", ["gsi", "level"]), ("msi", ["address", "data"]), ("nmi", ["vcpu"]), ("irqfd", ["gsi"]), ("pause", []),
    ("resume", []), ("inspect", ["format"]), ("snapshot", ["file"]), ("statistics", []), ("stop", []),
  ]
  /// An answer has it too, so it is short.
  private static let idLimit = 256
  /// As long as a path may be (PATH_MAX).
  private static let pathLimit = 4095

  /// Reads a line.
  ///
  /// - Parameters:
  ///   - line: a JSON object without the end of the line.
  ///   - vcpus: how many vCPUs the machine has.
  /// - Throws: `ControlRequestError` for anything else: what is out of range with the range, what is unknown with what is known.
  public init(line: [UInt8], vcpus: Int) throws(ControlRequestError) {
    let json: JSONValue
    do throws(JSONError) {
      json = try JSONValue(
        parsing: line, limits: JSONLimits(bytes: LineSplitter.limit, values: 64, depth: 4, stringBytes: 8192))
    } catch {
      throw ControlRequestError(problem: "\(error)")
    }
    guard case .object(let members) = json else {
      throw ControlRequestError(problem: "an object expected, not \(json.kind)")
    }
    id = try Self.id(members)
    do throws(StimulusError) {
      action = try Self.action(Members(members), vcpus: vcpus)
    } catch {
      throw ControlRequestError(id: id, problem: "\(error)")
    }
  }

  private static func id(_ members: [JSONValue.Member]) throws(ControlRequestError) -> JSONValue? {
    guard let id = members.first(where: { $0.name == "id" })?.value else { return nil }
    switch id {
    case .number: return id
    case .string(let text) where text.utf8.count <= idLimit: return id
    default:
      throw ControlRequestError(problem: "an id is an integer or a string of at most \(idLimit) bytes")
    }
  }

  private static func action(_ members: Members, vcpus: Int) throws(StimulusError) -> Action {
    let name = try members.text("verb", atMost: idLimit)
    guard let verb = verbs.first(where: { $0.name == name }) else {
      throw StimulusError(
        "there is no verb '\(name)'; there are " + verbs.map(\.name).joined(separator: ", "))
    }
    try members.check(["id", "verb"] + verb.members, of: verb.name)
    switch verb.name {
    case "pause": return .pause
    case "resume": return .resume
    case "inspect": return .inspect(try members.stateFormat())
    case "statistics": return .statistics
    case "stop": return .stop
    case "snapshot": return .snapshot(file: try members.text("file", atMost: pathLimit))
    default:
      let stimulus = try stimulus(verb.name, members)
      try stimulus.validate(vcpus: vcpus)
      return .inject(stimulus)
    }
  }

  private static func stimulus(_ verb: String, _ members: Members) throws(StimulusError) -> Stimulus {
    switch verb {
    case "line": .line(gsi: try Stimulus.gsi(try members.number("gsi")), try members.level())
    case "msi": .msi(try Stimulus.message(address: try members.number("address"), data: try members.number("data")))
    case "nmi": .nmi(vcpu: Int(clamping: try members.number("vcpu")))
    default: .irqfd(gsi: try Stimulus.gsi(try members.number("gsi")))
    }
  }
}

/// The members of a request.
private struct Members {
  private let members: [JSONValue.Member]

  init(_ members: [JSONValue.Member]) { self.members = members }

  private func value(_ name: String) throws(StimulusError) -> JSONValue {
    guard let member = members.first(where: { $0.name == name }) else { throw StimulusError("\(name) is missing") }
    return member.value
  }

  /// A number of 64 bits: `20` or `"0xfee00000"`.
  func number(_ name: String) throws(StimulusError) -> UInt64 {
    switch try value(name) {
    case .number(let number) where number >= 0: return UInt64(number)
    case .string(let text):
      if let number = Hexadecimal.integer(text) { return number }
    default: break
    }
    throw StimulusError("\(name) is an integer from 0, or one in hexadecimal such as \"0x1f\"")
  }

  /// A text that a system call takes.
  func text(_ name: String, atMost limit: Int) throws(StimulusError) -> String {
    guard case .string(let text) = try value(name), !text.isEmpty, text.utf8.count <= limit, !text.utf8.contains(0)
    else { throw StimulusError("\(name) is a string of 1 to \(limit) bytes without a NUL") }
    return text
  }

  /// What becomes of a line.
  func level() throws(StimulusError) -> Stimulus.LineChange {
    switch try value("level") {
    case .number(0): return .low
    case .number(1): return .high
    case .string("pulse"): return .pulse
    default: throw StimulusError("level is 0, 1 or \"pulse\"")
    }
  }

  /// How a state is shown: as a document, unless something else is wanted.
  func stateFormat() throws(StimulusError) -> ControlRequest.StateFormat {
    guard members.contains(where: { $0.name == "format" }) else { return .document }
    let formats = ControlRequest.StateFormat.allCases
    guard case .string(let word) = try value("format"), let format = formats.first(where: { $0.rawValue == word })
    else { throw StimulusError("format is " + formats.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")) }
    return format
  }

  /// Refuses members that a verb does not have: somebody means something by them.
  func check(_ known: [String], of verb: String) throws(StimulusError) {
    guard let other = members.first(where: { !known.contains($0.name) }) else { return }
    throw StimulusError("\(verb) has no member '\(other.name.prefix(80))'")
  }
}

/// The interrupts that clients of the control socket asked for, in order: as many as are kept, as clients may flood it.
public struct RequestedInjections: Hashable, Sendable {
  /// One of them.
  public struct Request: Hashable, Sendable {
    /// What.
    public var stimulus: Stimulus
    /// When KVM was told.
    public var time: ContinuousClock.Instant
    /// What it answered; of an NMI whose vCPU had to leave the guest first, that it was sent.
    public var answer: InjectionAnswer
  }

  /// How many are kept.
  public static let limit = 65_536

  /// The first of them.
  public private(set) var kept: [Request] = []
  /// How many came after those.
  public private(set) var leftOut = 0

  init() {}

  mutating func add(_ request: Request) {
    if kept.count < Self.limit { kept.append(request) } else { leftOut += 1 }
  }
}
