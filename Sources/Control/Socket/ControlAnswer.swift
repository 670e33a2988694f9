import JSON

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
