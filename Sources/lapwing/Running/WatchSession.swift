import Glibc
import Reports
import Support
import SystemPackage
import Watch

/// Watches one machine until it ends, or somebody has seen enough.
struct WatchSession {
  let watcher: Watcher
  /// Held back since before recording began.
  let signals: InterruptSignals
  let context: WatchReport.Context
  /// How long; nil for until somebody ends it.
  var length: TimeLimit?
  /// How often there is something new; nil for what suits the format.
  var interval: Duration?
  var format = ReportFormat.human
  var filter = WatchFilter()
  /// Where its timeline goes; nil for nowhere.
  var timeline: StartedTimeline?

  private let start = ContinuousClock.now

  init(watcher: Watcher, signals: InterruptSignals, context: WatchReport.Context) {
    self.watcher = watcher
    self.signals = signals
    self.context = context
  }

  /// Whether there is one report of the whole time, and none before.
  private var isSummary: Bool { length != nil && interval == nil }

  /// Watches to the end.
  func run() throws(Failure) -> ExitStatus {
    defer { watcher.close() }
    let pulse = try WatchPulse(signals)
    let drawn = timeline.map { WatchTimeline($0, watcher) }
    let view = format == .human && length == nil ? LiveView() : nil
    defer { view?.close() }
    // There is nothing else to see of a summary until its end.
    if isSummary, let length {
      let machine = watcher.machines[0]
      StandardError.print("lapwing: watching \(machine.program ?? "process") \(machine.name) for \(length)")
    }
    let end = length.map { start + $0.duration }
    let period = isSummary ? length?.duration ?? .seconds(1) : interval ?? .seconds(1)
    var next = start + (isSummary ? period : min(period, .milliseconds(100)))
    var shown: WatchReport?
    while true {
      pulse.wait(until: min(next, end ?? next))
      watcher.poll()
      let now = ContinuousClock.now
      let isOver =
        signals.isPending || StandardOutput.loss != nil || view?.isLeft == true || end.map { now >= $0 } == true
        || watcher.isOver
      if isOver || now >= next {
        // What came last of a machine that has ended is in one more.
        let report = take(isLast: isOver)
        // What stays on the terminal is of a whole interval, where there was one.
        if view == nil || shown == nil || !isOver { shown = report }
        // One that is late is no reason for a short one after it.
        next = next + period > now ? next + period : now + period
        if isOver { break }
        if let view { view.show(report, isNew: true) } else { try show(report) }
      } else if let view, let shown {
        view.show(shown, isNew: false)
      }
    }
    view?.close()
    // A line that nobody reads holds nobody up; a summary is waited for, once signals end the program again.
    if !isSummary, let shown { try show(shown) }
    let lost = watcher.lostEvents
    watcher.close()
    let signal = signals.release()
    try drawn?.finish(lost: lost, absent: watcher.absentEvents)
    if isSummary, let shown { try show(shown) }
    if watcher.isOver { StandardError.print("lapwing: the machine has ended") }
    return signal.map(ExitStatus.init(signal:)) ?? .success
  }

  private func take(isLast: Bool) -> WatchReport {
    let intervals = watcher.interval(isLast: isLast)
    var report = WatchReport(intervals[0], context, filter: filter)
    report.origin = .current
    return report
  }

  private func show(_ report: WatchReport) throws(Failure) {
    let text: String
    if format == .json {
      do {
        text = try JSONDocument.line(report)
      } catch {
        throw Failure("the report cannot be written as JSON: \(error)", .internalFault)
      }
    } else {
      text = report.lines(StandardOutput.style).text + (isSummary ? "" : "\n")
    }
    do throws(Errno) {
      try StandardOutput.print(text)
    } catch {
      // A signal that came while nobody read ends the watching, like any other.
      if error != .canceled { throw .standardOutput(error) }
    }
  }
}

/// How often what was recorded is looked at, while it is waited for a moment, a signal or a key.
struct WatchPulse {
  private let wakeup: Wakeup
  private let descriptor: Int32?
  /// Often enough for the kernel's buffers, seldom enough to be nobody's load.
  private static let period = Duration.milliseconds(25)

  init(_ signals: InterruptSignals) throws(Failure) {
    do throws(Errno) {
      wakeup = try Wakeup()
    } catch {
      throw Failure("watching needs a descriptor: \(error)", .hostCannot)
    }
    descriptor = signals.descriptor
  }

  /// Waits for the next look: until a moment at the longest.
  func wait(until end: ContinuousClock.Instant) {
    wakeup.wait(until: min(end, .now + Self.period), or: descriptor)
  }
}
