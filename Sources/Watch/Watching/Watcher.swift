public import Evidence
import KVM
import SystemPackage

/// Watches machines that other processes run: records their events in a trace instance of its own, and counts them.
///
/// It looks and does no more: nothing is written to the machines or their processes, and none of their threads is stopped.
public final class Watcher {
  private let finder: MachineFinder
  private let trace: LiveTrace
  private var watches: [MachineWatch]
  private let recordsAllThreads: Bool
  private var notifications = NotificationCounts.read()
  private var lost: UInt64 = 0
  /// The folders of machines that are gone: another's may have the same later on.
  private var ended: Set<FilePath> = []

  /// How long it takes to find out how the host's TSC runs; the longer, the more precise.
  private static let calibration = Duration.milliseconds(20)

  /// Begins to watch.
  ///
  /// - Parameters:
  ///   - machines: the machines, at least one.
  ///   - finder: what finds this host's machines.
  ///   - allThreads: whether all threads of the host are recorded, and what happens in interrupt context: what is raised on
  ///     other threads than the machines' is seen then. Otherwise those of the machines' processes are.
  /// - Throws: `TraceUnavailable` with the host's reason.
  public init(
    _ machines: [ForeignMachine], _ finder: MachineFinder, allThreads: Bool = false
  ) throws(TraceUnavailable) {
    self.finder = finder
    recordsAllThreads = allThreads
    let before = TraceClock.now()
    let processes = Set(machines.map(\.process)).sorted()
    trace = try LiveTrace(allThreads ? .allThreads : .processes(processes))
    let start = hostTSC()
    let after = TraceClock.later(than: before, by: Self.calibration)
    let clock = TraceClock(before, after)
    let recorded = finder.all().filter { allThreads || processes.contains($0.process) }
    watches = machines.map { [trace] machine in
      MachineWatch(
        machine, among: recorded, recordsAllThreads: allThreads, recordsResidency: trace.recordsResidency, clock: clock,
        start: start)
    }
  }

  /// The machines, as they were looked at last.
  public var machines: [ForeignMachine] { watches.map(\.machine) }

  /// Whoever else wants to see what belongs to the machines; kept as long as somebody else keeps it.
  package weak var observer: (any WatchObserver)? {
    didSet { for index in watches.indices { watches[index].observer = observer } }
  }

  /// Takes what was recorded: every few dozen milliseconds, before the kernel's buffers are full.
  public func poll() {
    var rounds = 0
    var isBehind = true
    // A storm may be recorded as fast as it is read: whoever calls has other things to do as well.
    while isBehind, rounds < 8 {
      isBehind = trace.drain(lose: lose, take)
      rounds += 1
    }
  }

  private func lose(before time: UInt64) { for index in watches.indices { watches[index].lose(before: time) } }

  private func take(_ event: TraceEvent) { for index in watches.indices { watches[index].take(event) } }

  /// What was seen since the last call, a machine each, in the order in which they were given. Machines that have ended since
  /// then say so.
  ///
  /// - Parameter isLast: whether recording ends with this.
  public func interval(isLast: Bool = false) -> [WatchInterval] {
    if isLast { trace.end(lose: lose, take) } else { poll() }
    let now = hostTSC()
    let all = finder.all()
    let processes = Set(watches.map(\.machine.process))
    let recorded = all.filter { recordsAllThreads || processes.contains($0.process) }
    let counts = NotificationCounts.read()
    let grown = counts.growth(since: notifications)
    let lost = trace.lostEvents &- self.lost
    notifications = counts
    self.lost = trace.lostEvents
    return watches.indices.map { index in
      let folder = watches[index].machine.folder
      let machine = ended.contains(folder) ? nil : all.first { $0.folder == folder }
      if let machine { watches[index].note(machine, among: recorded) } else { ended.insert(folder) }
      var interval = watches[index].takeInterval(now, isLast: isLast)
      interval.hasEnded = machine == nil
      interval.notifications = grown
      interval.lost = lost
      if !trace.recordsRegisters {
        (interval.x2APICWrites, interval.x2APICReads) = (nil, nil)
      }
      return interval
    }
  }

  /// Whether all machines have ended, by their folders in debugfs.
  public var isOver: Bool {
    watches.allSatisfy { ended.contains($0.machine.folder) || !finder.isThere($0.machine) }
  }

  /// Removes the trace instance; does nothing the second time.
  public func close() { trace.close() }

  /// The kernel's names of exits.
  public private(set) lazy var exitNames = trace.exitNames
  /// The kernel's names of inhibits.
  public private(set) lazy var inhibitNames = trace.inhibitNames
  /// The tracepoints that this kernel lacks.
  public var absentEvents: [String] { trace.absentEvents }
  /// How many events were lost.
  public var lostEvents: UInt64 { trace.lostEvents }
}

/// Gets all that belongs to a watched machine as it comes, beside its being counted.
package protocol WatchObserver: AnyObject {
  /// Takes the next event of the machine, in the order of time.
  func take(_ event: TraceEvent, _ clock: TraceClock)

  /// Takes an interrupt that is over.
  func take(_ journey: TrackedJourney, _ clock: TraceClock)
}
