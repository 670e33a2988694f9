import APIC
import Control
import Support

/// What became of an interrupt from outside, for a report. Times are nanoseconds since the program started.
public struct InjectionReport: Codable, Hashable, Sendable {
  /// What was injected, as it was written: `line:20=1`.
  public var stimulus: String
  /// Who wanted it.
  public var from: Source
  /// When it was to come, as it was written: `5ms`, `mark:ready`, `exit:7`; absent for a request, which is carried out when it
  /// comes.
  public var moment: String?
  /// Which of its repetitions, from 1; of those that never came, the first.
  public var repetition: Int
  /// When KVM was told; absent where it never came.
  public var time: Int64?
  /// What became of it.
  public var answer: Answer
  /// How many pins or local APICs it reached; absent unless it was delivered.
  public var destinations: UInt32?
  /// Why KVM refused it, in words; absent unless it did.
  public var error: String?
  /// How many repetitions never came, this one included; absent unless the answer says so.
  public var missing: Int?

  /// Who wants an interrupt, each with its word in a document.
  public enum Source: String, Codable, Hashable, Sendable {
    /// `--inject` or `--inject-file`.
    case option
    /// A client of the control socket.
    case control
  }

  /// What becomes of an injection, each with its word in a document.
  public enum Answer: String, Codable, Hashable, Sendable {
    /// It reached somebody.
    case delivered
    /// The line's interrupt was pending already.
    case coalesced
    /// The line leads to nothing that is not masked.
    case ignored
    /// No local APIC took the message.
    case blocked
    /// KVM took it, and does not say what becomes of it.
    case sent
    /// KVM refused it.
    case refused
    /// The guest had ended before its vCPU took it.
    case late
    /// Its moment never came.
    case neverCame = "never-came"
  }

  /// Whether it is one of a run's own of which nothing came. A client has been told of what it asked for.
  public var isMissed: Bool { from == .option && [.refused, .late, .neverCame].contains(answer) }
}

extension InjectionReport {
  /// What an injector did, in the order in which it did it, and then what never came, in the order in which it was written.
  ///
  /// - Parameters:
  ///   - injections: what was asked for.
  ///   - done: what was carried out.
  ///   - requests: what clients asked for.
  ///   - programStart: the moment that times are counted from.
  static func all(
    of injections: [Injection], _ done: [Injector.Occurrence], requests: [RequestedInjections.Request],
    programStart: ContinuousClock.Instant
  ) -> [InjectionReport] {
    var counts = [Int](repeating: 0, count: injections.count)
    var reports = requests.map { request in
      var report = InjectionReport(stimulus: "\(request.stimulus)", from: .control, repetition: 1, answer: .sent)
      report.time = Int64((request.time - programStart) / .nanoseconds(1))
      report.set(request.answer)
      return report
    }
    for occurrence in done {
      counts[occurrence.injection] += 1
      var report = InjectionReport(injections[occurrence.injection], occurrence.number)
      report.time = Int64((occurrence.time - programStart) / .nanoseconds(1))
      report.set(occurrence.answer)
      reports.append(report)
    }
    // A sort of the standard library's keeps the order of what came at one time.
    reports.sort { ($0.time ?? 0) < ($1.time ?? 0) }
    for (injection, count) in zip(injections, counts) where count < injection.count {
      var report = InjectionReport(injection, count)
      report.missing = injection.count - count
      reports.append(report)
    }
    return reports
  }

  private init(_ injection: Injection, _ number: Int) {
    self.init(
      stimulus: "\(injection.stimulus)", from: .option, moment: injection.momentText, repetition: number + 1,
      answer: .neverCame)
  }

  private mutating func set(_ answer: InjectionAnswer?) {
    switch answer {
    case .delivered(let count): (self.answer, destinations) = (.delivered, count)
    case .coalesced: self.answer = .coalesced
    case .ignored: self.answer = .ignored
    case .blocked: self.answer = .blocked
    case .sent: self.answer = .sent
    case .refused(let reason): (self.answer, error) = (.refused, reason)
    case nil: self.answer = .late
    }
  }
}

extension [InjectionReport] {
  /// How many a person is shown; a document has all.
  private static var shown: Int { 100 }

  /// A line each, for a person.
  func lines() -> [TextLine] {
    var table = LeftTable()
    table.add(["what", "at", "time", "answer"])
    for report in prefix(Self.shown) { table.add(report.cells.lines) }
    var lines = table.lines()
    if count > Self.shown { lines.append("  and \(count - Self.shown) more, which --format json has") }
    return lines
  }
}

extension InjectionReport {
  fileprivate var cells: [String] {
    [
      stimulus, (moment ?? from.rawValue) + (repetition > 1 ? ", #\(repetition)" : ""),
      time.map { Units.time($0) } ?? "", words,
    ]
  }

  private var words: String {
    switch answer {
    case .delivered: destinations == 1 ? "delivered" : "delivered to \(destinations ?? 0)"
    case .refused: "refused: \(error ?? "")"
    case .late: "the guest ended first"
    case .neverCame: missing == 1 ? "never came" : "never came, \(missing ?? 0) of them"
    default: answer.rawValue
    }
  }
}
