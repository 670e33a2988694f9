import JSON
import Support

/// One client of the control socket: what it has asked and is still to be answered, and what it has not read yet.
///
/// A client that does not read has nothing more read of it, so that what it can make this program keep is one piece of input
/// and one answer beyond the limit.
struct ControlClient {
  /// Its connection.
  let connection: LocalConnection
  private var splitter = LineSplitter()
  private var lines: ArraySlice<LineSplitter.Line> = []
  private var output: ArraySlice<UInt8> = []
  private var hasEnded = false
  /// Whether it has gone, or is to be let go.
  private(set) var isGone = false

  /// How much may wait for a client to read it before its next request is looked at.
  private static let outputLimit = 64 << 10

  init(_ connection: LocalConnection) { self.connection = connection }

  /// Whether it is worth reading from it.
  var wantsInput: Bool { !hasEnded && lines.isEmpty && output.count < Self.outputLimit }

  /// Whether something waits for it.
  var wantsOutput: Bool { !output.isEmpty }

  /// Whether a request of it can be carried out now.
  var isReady: Bool { !isGone && !lines.isEmpty && output.count < Self.outputLimit }

  /// Whether everything it asked is answered and it asks nothing more.
  var isDone: Bool { isGone || hasEnded && lines.isEmpty && output.isEmpty }

  /// Reads what it has sent.
  mutating func receive() {
    guard wantsInput else { return }
    if let bytes = connection.receive(atMost: LineSplitter.limit) {
      lines = splitter.take(bytes)[...]
    } else {
      hasEnded = true
      lines = (splitter.finish().map { [$0] } ?? [])[...]
    }
  }

  /// The next line that it has sent.
  mutating func nextLine() -> LineSplitter.Line? { lines.popFirst() }

  /// Has it told something.
  mutating func answer(_ answer: ControlAnswer) {
    output += answer.line
    flush()
  }

  /// Sends what there is room for.
  mutating func flush() {
    guard !output.isEmpty else { return }
    guard let count = connection.sendNow(output) else {
      isGone = true
      output = []
      return
    }
    output = output.dropFirst(count)
    if output.isEmpty { output = [] }
  }
}

/// What a client is answered: a line of JSON.
struct ControlAnswer: Hashable {
  /// What the client calls the request; nil where it does not, or it was none.
  var id: JSONValue?
  /// What was asked for, or why it was not done.
  var result: Result

  /// How it went.
  enum Result: Hashable {
    /// It was done, and showed this.
    case done([JSONValue.Member])
    /// It was not, in words.
    case refused(String)

    static let done = Result.done([])
  }

  /// The answer to what is no request.
  init(_ error: ControlRequestError) { self.init(id: error.id, result: .refused(error.problem)) }

  init(id: JSONValue? = nil, result: Result) {
    self.id = id
    self.result = result
  }

  /// The line, with its end.
  var line: [UInt8] {
    var members = id.map { [JSONValue.Member("id", $0)] } ?? []
    switch result {
    case .done(let shown): members += [JSONValue.Member("ok", .bool(true))] + shown
    case .refused(let problem):
      members += [JSONValue.Member("ok", .bool(false)), JSONValue.Member("error", .string(problem))]
    }
    return JSONValue.object(members).line + [UInt8(ascii: "\n")]
  }
}

extension InjectionAnswer {
  /// What a client is told of it.
  var result: ControlAnswer.Result {
    func answer(_ word: String) -> JSONValue.Member { JSONValue.Member("answer", .string(word)) }
    return switch self {
    case .delivered(let count): .done([answer("delivered"), JSONValue.Member("destinations", .number(Int64(count)))])
    case .coalesced: .done([answer("coalesced")])
    case .ignored: .done([answer("ignored")])
    case .blocked: .done([answer("blocked")])
    case .sent: .done([answer("sent")])
    case .refused(let reason): .refused(reason)
    }
  }
}
