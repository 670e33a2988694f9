public import APIC

/// The local APIC's timer (SDM volume 3A, section 12.5.4).
///
/// Moments are nanoseconds of whatever clock its user has. A user that knows only between which two moments something was
/// done gives both, and gets the counts that are possible.
public struct ReferenceTimer: Hashable, Sendable {
  /// The mode that LVT_TIMER has chosen; nil is the reserved encoding.
  public package(set) var mode: TimerMode? = .oneShot
  /// The nanoseconds of a whole count; 0 where the timer does not run.
  public package(set) var period: UInt64 = 0
  /// When the count ends, at the earliest and at the latest.
  public package(set) var earliestEnd: UInt64 = 0
  /// The latest moment at which the count ends.
  public package(set) var latestEnd: UInt64 = 0
  /// IA32_TSC_DEADLINE; 0 where none is armed.
  public package(set) var deadline: UInt64 = 0
  /// Whether it has expired and the processor has not been interrupted yet.
  public package(set) var hasExpired = false

  /// A timer that does not run.
  public init() {}

  /// Stops it, and forgets what it was to do.
  mutating func stop() {
    period = 0
    earliestEnd = 0
    latestEnd = 0
    deadline = 0
    hasExpired = false
  }
}

/// Between which two moments something is done, in nanoseconds of the user's clock.
public struct Moment: Hashable, Sendable {
  /// Not before.
  public var earliest: UInt64
  /// Not after.
  public var latest: UInt64

  /// A moment that is known exactly.
  public init(_ time: UInt64) { self.init(earliest: time, latest: time) }

  /// A moment between two.
  public init(earliest: UInt64, latest: UInt64) {
    self.earliest = earliest
    self.latest = latest
  }
}

extension ReferenceLocalAPIC {
  /// The nanoseconds of one cycle of the timer's clock before it is divided: KVM's bus runs at 1 GHz
  /// (`apic_bus_cycle_ns`).
  static var busCycle: UInt64 { 1 }

  var countUnit: UInt64 { Self.busCycle * UInt64(page.divide.divisor) }

  /// The least period that KVM grants a periodic timer, in nanoseconds (`limit_periodic_timer_frequency`).
  static var leastPeriod: UInt64 { 200_000 }

  /// Starts a count from the initial count, or from another where a state is restored (`set_target_expiration`).
  mutating func startTimer(from count: UInt32?, at moment: Moment) {
    timer.hasExpired = false
    guard timer.mode == .oneShot || timer.mode == .periodic else { return }
    var period = UInt64(page[.initialCount]) * countUnit
    timer.period = period
    met.insert(period > 0 ? .countStarted : .countStopped)
    guard period > 0 else {
      timer.deadline = 0
      return
    }
    if timer.mode == .periodic { period = max(period, Self.leastPeriod) }
    timer.period = period
    var remaining = period
    if let count {
      let rest = UInt64(count) * countUnit
      remaining = rest > period ? period : rest > 0 ? rest : timer.mode == .periodic ? period : 0
    }
    timer.earliestEnd = moment.earliest &+ remaining
    timer.latestEnd = moment.latest &+ remaining
  }

  /// A new divide configuration keeps what is left of the count (`update_target_expiration`).
  mutating func changeDivide(from old: UInt32, at moment: Moment) {
    let new = page.divide.divisor
    guard new != old, timer.period > 0 else { return }
    met.insert(.divideChanged)
    timer.period = UInt64(page[.initialCount]) * countUnit
    if timer.mode == .periodic { timer.period = max(timer.period, Self.leastPeriod) }
    let least = timer.earliestEnd > moment.latest ? timer.earliestEnd - moment.latest : 0
    let most = timer.latestEnd > moment.earliest ? timer.latestEnd - moment.earliest : 0
    timer.earliestEnd = moment.earliest &+ least / UInt64(old) * UInt64(new)
    timer.latestEnd = moment.latest &+ (most / UInt64(old) &+ 1) * UInt64(new)
  }

  /// The counts that the current-count register may show.
  ///
  /// - Parameter moment: When it is read.
  /// - Returns: The least and the most.
  public func currentCount(at moment: Moment) -> ClosedRange<UInt32> {
    guard timer.mode != .tscDeadline, page[.initialCount] != 0, timer.period != 0 else { return 0...0 }
    guard timer.earliestEnd > moment.latest else {
      guard timer.latestEnd > moment.earliest || timer.mode == .periodic else { return 0...0 }
      let most = timer.mode == .periodic ? timer.period : timer.latestEnd - moment.earliest
      return shown(0, most / countUnit)
    }
    let least = (timer.earliestEnd - moment.latest) / countUnit
    let most = (timer.latestEnd - moment.earliest) / countUnit
    // At the end of a whole period KVM shows 0, because it takes what is left modulo the period (`apic_get_tmcct`).
    let mayWrap = timer.latestEnd - moment.earliest >= timer.period
    return shown(mayWrap ? 0 : least, max(least, most))
  }

  /// What a register of 32 bits shows of counts that may be greater: after a new divide configuration that is restored.
  private func shown(_ least: UInt64, _ most: UInt64) -> ClosedRange<UInt32> {
    guard least >> 32 == most >> 32 else { return 0...UInt32.max }
    return UInt32(truncatingIfNeeded: least)...UInt32(truncatingIfNeeded: most)
  }

  /// What LVT_TIMER says of the mode takes effect: into and out of TSC-deadline mode the timer is disarmed (SDM volume 3A,
  /// section 12.5.4.1; `apic_update_lvtt`).
  mutating func updateTimerMode() {
    let new =
      features.hasTSCDeadline
      ? page.lvt(.timer).timerMode : page.lvt(.timer).rawValue >> 17 & 1 == 1 ? .periodic : .oneShot
    guard new != timer.mode else { return }
    if (new == .tscDeadline) != (timer.mode == .tscDeadline) {
      page[.initialCount] = 0
      timer.stop()
    }
    timer.mode = new
    if new == .periodic, timer.period > 0 { timer.period = max(timer.period, Self.leastPeriod) }
  }
}
