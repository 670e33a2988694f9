import APIC
public import KVM
public import VMM

/// Records how interrupts get to the guest of one machine, from before its start on: made, and used, on the thread that
/// starts it.
public final class JourneyRecorder {
  private let pool: TracePool
  private let instance: TraceInstance
  private let start: TraceClock.Reading
  private var clock: TraceClock
  private let deliversVirtually: Bool?
  private var events = JourneyEvents(keeping: limit)
  private var stream: TraceStream
  private var isRecording = true

  /// How many events are kept besides entries and exits, more than belong to what a guest's log has room for: a guest may
  /// storm for as long as it runs.
  private static let limit = 2_000_000

  /// What was recorded.
  public struct Result: Hashable, Sendable {
    /// When recording began, from which times count.
    public var start: ContinuousClock.Instant
    /// The interrupts' journeys.
    public var journeys: [InterruptJourney]
    /// The kernel's names of the exits in them.
    public var exitNames: ExitNames
    /// How many events were lost, those beyond what is kept included.
    public var lostEvents: UInt64
    /// How many events meant nothing here.
    public var unknownEvents: Int
    /// What would be recorded if this kernel had it.
    public var absentEvents: [String]
  }

  /// Begins to record the threads that this thread starts from now on.
  ///
  /// - Parameters:
  ///   - pool: where a trace instance is to be had; it gets it back when the recorder is let go of.
  ///   - deliversVirtually: whether this host can deliver interrupts by virtual-interrupt delivery; nil where nothing
  ///     tells.
  /// - Throws: `TraceUnavailable` with the host's reason, also where the kernel's traces cannot have the TSC's times.
  public init(_ pool: TracePool, deliversVirtually: Bool?) throws(TraceUnavailable) {
    self.pool = pool
    self.deliversVirtually = deliversVirtually
    instance = try pool.lend()
    start = TraceClock.now()
    clock = TraceClock(start, start)
    do throws(TraceUnavailable) {
      stream = try TraceStream(instance)
    } catch {
      pool.giveBack(instance)
      throw error
    }
    do throws(TraceUnavailable) {
      try instance.begin(withResidency: true)
    } catch {
      // The pool gets the instance back from `deinit`, which comes after this too: all properties are there.
      isRecording = false
      throw error
    }
  }

  /// How many events were lost, those beyond what is kept included.
  private var lost: UInt64 { stream.lost &+ events.dropped }

  deinit {
    if isRecording { _ = try? instance.end() }
    pool.giveBack(instance)
  }

  /// Takes what was recorded since the last call, before the kernel's buffers are full: now and then while the guest runs.
  public func drain() {
    if listener != nil { clock.mark(TraceClock.now()) }
    stream.drain { take($0) }
  }

  /// What is told everything while it is recorded; nil for nothing.
  public var listener: (any RecordingListener)?

  /// When recording began, from which times count.
  public var recordingStart: ContinuousClock.Instant { start.value }
  /// The kernel's names of exits.
  public var exitNames: ExitNames { instance.exitNames }
  /// The kernel's names of inhibits.
  public var inhibitNames: InhibitNames { instance.inhibitNames }

  private func take(_ event: TraceEvent) {
    events.take(event)
    // Asked for here alone: there may be millions of events.
    if let listener { listener.take(event, at: clock.nanoseconds(event.time)) }
  }

  /// Ends recording.
  ///
  /// - Parameters:
  ///   - machine: the machine, whose guest has ended.
  ///   - threads: the kernel's ids of its threads, by vCPU.
  ///   - taken: what its guest wrote down; none of one that writes down nothing.
  /// - Returns: the interrupts' journeys, and what was not to be had.
  /// - Throws: `KVMError` where KVM does not tell a vCPU's TSC, state or statistics.
  public func finish(_ machine: Machine, threads: [Int32], taken: [InterruptTaken]) throws(KVMError) -> Result {
    clock.mark(TraceClock.now())
    stream.end { take($0) }
    isRecording = false
    let guest = try GuestTSC(of: machine.vcpus[0])
    // A guest that was restored has others in its log, which it took before.
    let taken = taken.filter { Int64(bitPattern: guest.hostCycles(at: $0.tsc) &- start.cycles) >= 0 }
    var finder = JourneyFinder(
      events: events, threads: threads, ids: machine.configuration.apicIDs,
      clock: clock, guest: guest, tellsPresence: instance.recordsResidency && lost == 0, isWhole: lost == 0)
    for vcpu in machine.vcpus { finder.localVectors.append(Self.localVectors(try vcpu.localAPIC())) }
    // A counter says nothing of all interrupts where the guest had no room to write all down.
    if machine.log.droppedRecords == 0 {
      finder.paths = try paths(machine.vcpus, threads) { vcpu in taken.count { $0.vcpu == vcpu } }
    }
    var journeys = finder.journeys(of: taken)
    if lost == 0 { try conclude(&journeys, machine.vcpus, threads) }
    let result = Result(
      start: start.value, journeys: journeys, exitNames: instance.exitNames, lostEvents: lost,
      unknownEvents: stream.unknown, absentEvents: instance.absentEvents)
    listener?.finish(result)
    return result
  }

  /// The ways of interrupts of which no event tells it, on vCPUs that wrote none down: by their counters, where those say it
  /// of all.
  private func conclude(
    _ journeys: inout [InterruptJourney], _ vcpus: [VCPU], _ threads: [Int32]
  ) throws(KVMError) {
    var counts = [Int](repeating: 0, count: vcpus.count)
    // A guest may write down any number for a vCPU.
    for journey in journeys where counts.indices.contains(journey.vcpu) {
      counts[journey.vcpu] = journey.taken == nil ? counts[journey.vcpu] + 1 : .min / 2
    }
    let paths = try paths(vcpus, threads) { max(0, counts[$0]) }
    for index in journeys.indices where journeys[index].path == nil && journeys[index].taken == nil {
      // Without injections they may as well not have been delivered at all, which only software's ways would show.
      guard let path = paths[journeys[index].vcpu], path == .software || deliversVirtually == true else { continue }
      journeys[index].path = path
      journeys[index].isPathConcluded = true
    }
  }

  /// How all interrupts of a vCPU got there, where its counter of injections, which began with it, tells.
  ///
  /// - Parameter count: how many it took.
  private func paths(
    _ vcpus: [VCPU], _ threads: [Int32], _ count: (Int) -> Int
  ) throws(KVMError) -> [Int: DeliveryPath] {
    let reinjections = Reinjections(
      events, isRecorded: instance.events.contains(Tracepoint.inject.rawValue) && lost == 0)
    var paths: [Int: DeliveryPath] = [:]
    for (index, vcpu) in vcpus.enumerated() {
      guard let injections = try vcpu.statistics()["irq_injections"] else { continue }
      paths[index] = DeliveryPath(
        injections: injections, reinjections: reinjections.count(on: threads.dropFirst(index).prefix(1)),
        taken: count(index), deliversVirtually: deliversVirtually)
    }
    return paths
  }

  /// The vectors of a local vector table. Where two entries have one vector, it is the timer's.
  private static func localVectors(_ state: LocalAPICState) -> [Vector: LocalVector] {
    var vectors: [Vector: LocalVector] = [:]
    for entry in LocalVector.allCases where vectors[state.lvt(entry).vector] != .timer {
      vectors[state.lvt(entry).vector] = entry
    }
    return vectors
  }
}

/// What is told all that a `JourneyRecorder` records, as it comes: to write it down elsewhere.
public protocol RecordingListener: AnyObject {
  /// The next event, in the order of time.
  ///
  /// - Parameters:
  ///   - event: the event.
  ///   - time: when it was, in nanoseconds since recording began.
  func take(_ event: TraceEvent, at time: Int64)

  /// Recording has ended, and no more comes.
  ///
  /// - Parameter result: what was recorded, with the interrupts' journeys.
  func finish(_ result: JourneyRecorder.Result)
}
