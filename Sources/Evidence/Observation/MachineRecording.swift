/// What was recorded of a machine, and how its interrupts got there.
public struct MachineRecording: Sendable {
  /// When recording began, from which times count.
  public let start: ContinuousClock.Instant
  private let recording: TraceRecording
  private let clock: TraceClock
  /// The kernel's ids of the vCPUs' threads, by index.
  public let threads: [Int32]
  /// KVM's ids of the vCPUs, by index.
  public let ids: [UInt32]
  /// The interrupts' journeys.
  public let journeys: [InterruptJourney]
  /// The kernel's names of exits.
  public let exitNames: ExitNames
  /// The kernel's names of inhibits.
  public let inhibitNames: InhibitNames
  /// What would be recorded if this kernel had it.
  public let absentEvents: [String]

  init(
    start: ContinuousClock.Instant, recording: TraceRecording, clock: TraceClock, threads: [Int32], ids: [UInt32],
    journeys: [InterruptJourney], exitNames: ExitNames, inhibitNames: InhibitNames,
    absentEvents: [String]
  ) {
    self.start = start
    self.recording = recording
    self.clock = clock
    self.threads = threads
    self.ids = ids
    self.journeys = journeys
    self.exitNames = exitNames
    self.inhibitNames = inhibitNames
    self.absentEvents = absentEvents
  }

  /// How many events were lost.
  public var lostEvents: UInt64 { recording.lost }

  /// Goes through the events in the order of time.
  ///
  /// - Parameter body: called with each, and with when it was, in nanoseconds since recording began.
  public func forEachEvent(_ body: (TraceEvent, Int64) -> Void) {
    for event in recording.events { body(event, clock.nanoseconds(event.time)) }
  }
}
