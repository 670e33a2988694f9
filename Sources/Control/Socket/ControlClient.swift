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
