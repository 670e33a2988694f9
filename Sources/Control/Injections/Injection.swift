import APIC
import KVM
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

/// What became of a stimulus, as far as KVM says.
public enum InjectionAnswer: Hashable, Sendable {
  /// It reached so many destinations: pins, or local APICs.
  case delivered(UInt32)
  /// The line's interrupt was pending already (KVM_IRQ_LINE_STATUS).
  case coalesced
  /// The pin is masked, or no route leads to one (KVM_IRQ_LINE_STATUS).
  case ignored
  /// No local APIC took the message (KVM_SIGNAL_MSI).
  case blocked
  /// KVM took it, and does not say what becomes of it (KVM_NMI, KVM_IRQFD).
  case sent
  /// KVM refused it, in words.
  case refused(String)
}

extension Machine {
  /// Carries a stimulus out. It waits for no vCPU, so a vCPU's own thread may do it.
  ///
  /// - Parameters:
  ///   - stimulus: what; its vCPU, if any, is one of the machine's.
  ///   - answer: called once with what became of it: on this thread before the call returns, but for an NMI of a vCPU that
  ///     runs, which has to leave the guest first. Of a pulse it is the answer to the rise.
  public func inject(_ stimulus: Stimulus, answer: @escaping @Sendable (InjectionAnswer) -> Void) {
    do throws(KVMError) {
      switch stimulus {
      case .line(let gsi, let change): answer(try changeLine(gsi, change))
      case .msi(let message):
        if case .delivered(let count) = try vm.send(message) { answer(.delivered(count)) } else { answer(.blocked) }
      case .irqfd(let gsi):
        try interrupts.trigger(irqfd: gsi)
        answer(.sent)
      case .nmi(let index):
        guard vcpus.indices.contains(index) else { return answer(.refused("there is no vCPU \(index)")) }
        beforeNextEntry(index) { vcpu in
          do throws(KVMError) {
            try vcpu.nmi()
            answer(.sent)
          } catch {
            answer(.refused(error.description))
          }
        }
      }
    } catch {
      answer(.refused(error.description))
    }
  }

  private func changeLine(_ gsi: UInt32, _ change: Stimulus.LineChange) throws(KVMError) -> InjectionAnswer {
    let status = try interrupts.setLine(gsi, to: change != .low)
    if change == .pulse { try interrupts.setLine(gsi, to: false) }
    return switch status {
    case .delivered(let count): .delivered(count)
    case .coalesced: .coalesced
    case .ignored: .ignored
    }
  }
}

/// The injections of a run, in the order in which they were written.
public enum InjectionList {
  /// How many a run may have. Each may be repeated.
  public static let limit = 1000
  /// The size of a file of them, in bytes.
  public static let sizeLimit = 1 << 20

  /// The injections of a file: one a line, empty lines and those that begin with `#` left out.
  ///
  /// - Parameters:
  ///   - bytes: the file's, in UTF-8.
  ///   - vcpus: how many vCPUs the machine has.
  /// - Throws: `StimulusError` with the line's number.
  public static func parse(_ bytes: [UInt8], vcpus: Int) throws(StimulusError) -> [Injection] {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw StimulusError("it is no text in UTF-8") }
    var injections: [Injection] = []
    // A line that ends in CR and LF is one Character.
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let line = line.trimmed
      guard !line.isEmpty, line.first != "#" else { continue }
      do throws(StimulusError) {
        let injection = try Injection(written: String(line))
        try injection.stimulus.validate(vcpus: vcpus)
        injections.append(injection)
        try check(injections)
      } catch {
        throw StimulusError("line \(index + 1): \(error)")
      }
    }
    return injections
  }

  /// Checks that there are not too many.
  ///
  /// - Throws: `StimulusError` with the limit.
  public static func check(_ injections: [Injection]) throws(StimulusError) {
    guard injections.count <= limit else { throw StimulusError("a run has at most \(limit) injections") }
    guard injections.reduce(0, { $0 + $1.count }) <= Injection.countLimit else {
      throw StimulusError("a run has at most \(Injection.countLimit) injections, repetitions included")
    }
  }
}

/// Which of a list of injections is next by the clock: a value, which knows no machine.
struct InjectionSchedule {
  /// The next occurrence of an injection.
  private struct Entry {
    let injection: Int
    let first: ContinuousClock.Instant
    var occurrence = 0
  }

  private let injections: [Injection]
  private var entries: [Entry] = []

  init(_ injections: [Injection]) { self.injections = injections }

  /// Begins with an injection's occurrences, from one on.
  ///
  /// - Parameters:
  ///   - index: the injection's place in the list.
  ///   - first: when its first occurrence is, or was.
  ///   - occurrence: the next, from 0.
  mutating func add(_ index: Int, first: ContinuousClock.Instant, from occurrence: Int = 0) {
    guard occurrence < injections[index].count else { return }
    entries.append(Entry(injection: index, first: first, occurrence: occurrence))
  }

  /// When the next is due; nil where none is to come.
  var nextTime: ContinuousClock.Instant? { entries.map(time).min() }

  /// Whether there is none.
  var isEmpty: Bool { entries.isEmpty }

  /// Takes the next that is due: the earliest, and of several at one time the one that was written first.
  mutating func take(at now: ContinuousClock.Instant) -> (injection: Int, occurrence: Int)? {
    let first = entries.indices.min { one, other in
      (time(entries[one]), entries[one].injection) < (time(entries[other]), entries[other].injection)
    }
    guard let first, time(entries[first]) <= now else { return nil }
    let entry = entries[first]
    if entry.occurrence + 1 < injections[entry.injection].count {
      entries[first].occurrence += 1
    } else {
      entries.remove(at: first)
    }
    return (entry.injection, entry.occurrence)
  }

  private func time(_ entry: Entry) -> ContinuousClock.Instant {
    entry.first + injections[entry.injection].interval * entry.occurrence
  }
}
