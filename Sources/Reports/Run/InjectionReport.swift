import APIC
import Control
import Support

/// What became of an injection that a run was given, for a report. Times are nanoseconds since the program started.
public struct InjectionReport: Codable, Hashable, Sendable {
  /// What was injected, as it was written: `line:20=1`.
  public var stimulus: String
  /// When it was to come, as it was written: `5ms`, `mark:ready`, `exit:7`.
  public var moment: String
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

  /// Whether nothing came of it that was to come.
  public var isMissed: Bool { [.refused, .late, .neverCame].contains(answer) }
}

extension InjectionReport {
  /// What an injector did, in the order in which it did it, and then what never came, in the order in which it was written.
  ///
  /// - Parameters:
  ///   - injections: what was asked for.
  ///   - done: what was carried out.
  ///   - programStart: the moment that times are counted from.
  static func all(
    of injections: [Injection], _ done: [Injector.Occurrence], programStart: ContinuousClock.Instant
  ) -> [InjectionReport] {
    var counts = [Int](repeating: 0, count: injections.count)
    var reports: [InjectionReport] = []
    for occurrence in done {
      counts[occurrence.injection] += 1
      var report = InjectionReport(injections[occurrence.injection], occurrence.number)
      report.time = Int64((occurrence.time - programStart) / .nanoseconds(1))
      report.set(occurrence.answer)
      reports.append(report)
    }
    for (injection, count) in zip(injections, counts) where count < injection.count {
      var report = InjectionReport(injection, count)
      report.missing = injection.count - count
      reports.append(report)
    }
    return reports
  }

  private init(_ injection: Injection, _ number: Int) {
    self.init(
      stimulus: "\(injection.stimulus)", moment: injection.momentText, repetition: number + 1, answer: .neverCame)
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
    [stimulus, moment + (repetition > 1 ? ", #\(repetition)" : ""), time.map { Units.time($0) } ?? "", words]
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
