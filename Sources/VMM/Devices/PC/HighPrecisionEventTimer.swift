import APIC
import Synchronization

/// A PC's high-precision event timer (IA-PC HPET specification 1.0a, section 2.3): a counter of 64 bits at 100 MHz, and
/// three comparators of which none is wired to an interrupt controller, as their capabilities say.
final class HighPrecisionEventTimer: BusDevice {
  static let addresses: Range<UInt64> = 0xfed0_0000..<0xfed0_0400
  static let nanosecondsPerTick: Int64 = 10
  static let stateName = "hpet"

  private enum Register {
    static let capabilities: UInt64 = 0x000
    static let configuration: UInt64 = 0x010
    static let counter: UInt64 = 0x0f0
    /// The comparators' registers, 0x20 bytes each.
    static let timers: UInt64 = 0x100
  }
  /// COUNTER_CLK_PERIOD in femtoseconds, Intel's VENDOR_ID, COUNT_SIZE_CAP, NUM_TIM_CAP, REV_ID. No LEG_RT_CAP.
  static let capabilities = UInt64(nanosecondsPerTick) * 1_000_000 << 32 | 0x8086 << 16 | 1 << 13 | 2 << 8 | 1
  private static let enable: UInt64 = 1 << 0
  /// Tn_SIZE_CAP: a comparator has 64 bits. No Tn_INT_ROUTE_CAP, Tn_FSB_INT_DEL_CAP or Tn_PER_INT_CAP.
  private static let timerCapabilities: UInt64 = 1 << 5
  /// Tn_INT_TYPE_CNF, Tn_INT_ENB_CNF, Tn_32MODE_CNF.
  fileprivate static let timerConfiguration: UInt64 = 1 << 1 | 1 << 2 | 1 << 8

  struct Timer: Hashable, Sendable {
    var configuration: UInt64 = 0
    var comparator = UInt64.max
  }

  struct State: Hashable, Sendable {
    /// When the counter was started; nil while it stands.
    var start: ContinuousClock.Instant?
    /// What it showed then, or shows since.
    var count: UInt64 = 0
    var timers = [Timer](repeating: Timer(), count: 3)

    func count(at now: ContinuousClock.Instant) -> UInt64 {
      start.map { count &+ HighPrecisionEventTimer.ticks(in: $0.duration(to: now)) } ?? count
    }
  }

  private let state = Mutex(State())

  func read(_ access: BusAccess) -> UInt64 {
    state.withLock { Self.register(at: access.offset & ~7, $0) >> (8 * (access.offset & 7)) }
  }

  func write(_ value: UInt64, _ access: BusAccess) {
    let place = access.offset & ~7
    let shift = 8 * (access.offset & 7)
    let mask: UInt64 = (access.width >= 8 ? .max : 1 << (8 * UInt64(access.width)) - 1) << shift
    state.withLock { state in
      Self.set(place, to: Self.register(at: place, state) & ~mask | value << shift & mask, &state)
    }
  }

  /// How often the counter counts in that time.
  static func ticks(in time: Duration) -> UInt64 {
    let (seconds, attoseconds) = time.components
    let perSecond = 1_000_000_000 / nanosecondsPerTick
    return UInt64(clamping: seconds &* perSecond &+ attoseconds / 1_000_000_000 / nanosecondsPerTick)
  }

  private static func register(at place: UInt64, _ state: State) -> UInt64 {
    switch place {
    case Register.capabilities: return capabilities
    case Register.configuration: return state.start == nil ? 0 : enable
    case Register.counter: return state.count(at: .now)
    default:
      guard let (index, part) = timer(at: place), state.timers.indices.contains(index) else { return 0 }
      switch part {
      case 0: return timerCapabilities | state.timers[index].configuration
      case 8: return state.timers[index].comparator
      default: return 0
      }
    }
  }

  private static func set(_ place: UInt64, to value: UInt64, _ state: inout State) {
    switch place {
    case Register.configuration:
      let (isEnabled, now) = (value & enable != 0, ContinuousClock.now)
      guard isEnabled != (state.start != nil) else { return }
      state.count = state.count(at: now)
      state.start = isEnabled ? now : nil
    case Register.counter:
      // To be written only while it stands (section 2.3.7).
      if state.start == nil { state.count = value }
    default:
      guard let (index, part) = timer(at: place), state.timers.indices.contains(index) else { return }
      if part == 0 { state.timers[index].configuration = value & timerConfiguration }
      if part == 8 { state.timers[index].comparator = value }
    }
  }

  /// Which comparator a register belongs to, and where in its registers it is.
  private static func timer(at place: UInt64) -> (index: Int, part: UInt64)? {
    guard place >= Register.timers else { return nil }
    return (Int(place - Register.timers) / 0x20, (place - Register.timers) % 0x20)
  }
}

extension HighPrecisionEventTimer: RegisterDevice {
  var held: State {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

extension HighPrecisionEventTimer.State: DeviceRegisters {
  /// A counter that counts goes on from now.
  init(_ saved: DeviceState) throws(DeviceStateError) {
    self.init()
    start = try saved.value("counts", upTo: 1) == 1 ? .now : nil
    count = try saved.value("counter")
    let configurations = try saved.values("configurations", count: timers.count)
    let comparators = try saved.values("comparators", count: timers.count)
    for (index, configuration) in configurations.enumerated() {
      guard configuration & ~HighPrecisionEventTimer.timerConfiguration == 0 else {
        throw DeviceStateError(
          device: saved.name, field: "configurations", problem: "\(hex(configuration)) has bits that cannot be set")
      }
      timers[index] = HighPrecisionEventTimer.Timer(configuration: configuration, comparator: comparators[index])
    }
  }

  var fields: [String: [UInt64]] {
    [
      "counts": [start == nil ? 0 : 1], "counter": [count(at: .now)],
      "configurations": timers.map(\.configuration), "comparators": timers.map(\.comparator),
    ]
  }
}
