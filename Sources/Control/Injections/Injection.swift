import Support
public import VMM

/// A stimulus, when it comes, and how often.
public struct Injection: Hashable, Sendable {
  /// What.
  public var stimulus: Stimulus
  /// When first.
  public var moment: GuestMoment
  /// How often in all, from 1 to `countLimit`.
  public var count: Int
  /// How long after the one before each further one comes.
  public var interval: Duration
  /// The moment as it was written.
  public let momentText: String

  /// More of one are no test but a load.
  public static let countLimit = 100_000
}

extension Injection {
  /// The injection that a text stands for: `line:20=1@5ms`, `nmi:0@mark:ready` or `msi:0xfee00000:0x41@exit:7 x10/2ms`.
  ///
  /// - Parameter text: a stimulus, `@`, a moment; then, after a space, `x`, a count, `/` and an interval. The text of a mark
  ///   cannot end in what looks like a repetition.
  /// - Throws: `StimulusError` for anything else.
  public init(written text: String) throws(StimulusError) {
    // What is shown to people later has nothing that a terminal would take for an order.
    guard !text.unicodeScalars.contains(where: { [.control, .format].contains($0.properties.generalCategory) }) else {
      throw StimulusError("it has characters that are not printable")
    }
    guard let at = text.firstIndex(of: "@") else {
      throw StimulusError("'@' and a moment are wanted: 5ms after the start, mark:N, mark:TEXT or exit:N")
    }
    stimulus = try Stimulus(written: String(text[..<at]))
    (count, interval) = (1, .zero)
    var rest = text[text.index(after: at)...]
    if let space = rest.lastIndex(of: " "), rest[rest.index(after: space)...].first == "x",
      rest[space...].contains("/")
    {
      (count, interval) = try Self.repetition(rest[rest.index(after: space)...].dropFirst())
      rest = rest[..<space]
      while rest.last == " " { rest.removeLast() }
    }
    guard let moment = GuestMoment(written: String(rest)) else {
      throw StimulusError(
        "a moment is a time after the start of at most a day, such as 5ms, or mark:N, mark:TEXT or exit:N, N from 1")
    }
    self.moment = moment
    momentText = String(rest)
  }

  private static func repetition(_ text: Substring) throws(StimulusError) -> (Int, Duration) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let count = Int(parts[0]), (1...countLimit).contains(count),
      let interval = Duration(written: String(parts[1]))
    else {
      throw StimulusError(
        "a repetition is xN/TIME, such as x10/2ms: N from 1 to \(countLimit), and a time of at most a day")
    }
    return (count, interval)
  }
}
