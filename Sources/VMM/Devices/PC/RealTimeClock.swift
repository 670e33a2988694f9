import Glibc
import Synchronization

/// A PC's real-time clock and its memory, an MC146818: the host's UTC, and bytes that keep what is written. It does not
/// interrupt; its alarm only wakes a machine that sleeps.
final class RealTimeClock: BusDevice {
  static let ports: Range<UInt64> = 0x70..<0x72
  static let stateName = "clock"

  private enum Register {
    static let statusA: UInt8 = 0x0a
    static let statusB: UInt8 = 0x0b
    static let statusC: UInt8 = 0x0c
    static let statusD: UInt8 = 0x0d
    static let century: UInt8 = 0x32
  }
  /// Status B: hours from 0 to 23, and numbers in binary.
  private static let is24Hours: UInt8 = 0x02
  private static let isBinary: UInt8 = 0x04
  /// Status B: the alarm is on.
  private static let alarmEnable: UInt8 = 0x20
  /// An update takes 244 microseconds or a little more, once a second (data sheet, table 3).
  private static let updateNanoseconds = 244_000

  struct State: Hashable, Sendable {
    var index: UInt8 = 0
    var memory = [UInt8](repeating: 0, count: 128)
    /// When the alarm that is waited for goes off, in seconds since 1970; nil where nobody waits.
    var alarmTime: Int?

    init() {
      memory[Int(Register.statusA)] = 0x26
      memory[Int(Register.statusB)] = RealTimeClock.is24Hours
    }
  }

  private let state = Mutex(State())

  /// The C library reads the time zone once, at the first look at a date; a vCPU's thread may open no file.
  init() { tzset() }

  func read(_ access: BusAccess) -> UInt64 {
    guard access.offset == 1 else { return 0xff }
    return state.withLock { state in
      var now = timespec()
      unsafe clock_gettime(CLOCK_REALTIME, &now)
      return UInt64(Self.value(of: state.index, state, seconds: max(now.tv_sec, 0), nanoseconds: now.tv_nsec))
    }
  }

  func write(_ value: UInt64, _ access: BusAccess) {
    let byte = UInt8(truncatingIfNeeded: value)
    state.withLock { state in
      // Bit 7 of the index masks the NMI, which nothing here raises.
      if access.offset == 0 { state.index = byte & 0x7f } else { state.memory[Int(state.index)] = byte }
      state.alarmTime = nil
    }
  }

  /// How long it is until the alarm goes off, if it is on: nil where it is off, or never will.
  var timeToAlarm: Duration? {
    state.withLock { state in
      var now = timespec()
      unsafe clock_gettime(CLOCK_REALTIME, &now)
      guard let seconds = Self.secondsToAlarm(state, from: max(now.tv_sec, 0)) else { return nil }
      state.alarmTime = state.alarmTime ?? now.tv_sec + seconds
      return .seconds((state.alarmTime ?? 0) - now.tv_sec) - .nanoseconds(now.tv_nsec)
    }
  }

  /// How many seconds from `now` the alarm goes off, at least 1 and at most a day; nil where it is off or never will.
  static func secondsToAlarm(_ state: State, from now: Int) -> Int? {
    guard state.memory[Int(Register.statusB)] & alarmEnable != 0 else { return nil }
    return (1...86_400).first { wait in
      [0 as UInt8, 2, 4].allSatisfy { index in
        let alarm = state.memory[Int(index) + 1]
        // The two high bits set stand for any value (data sheet, "Alarm").
        return alarm & 0xc0 == 0xc0 || alarm == value(of: index, state, seconds: now + wait, nanoseconds: 0)
      }
    }
  }

  /// What a register shows at a time of the host's: seconds since 1970, and nanoseconds into the second.
  static func value(of index: UInt8, _ state: State, seconds: Int, nanoseconds: Int) -> UInt8 {
    let stored = state.memory[Int(index)]
    let date = calendarDate(seconds)
    let number: Int
    switch index {
    case 0: number = seconds % 60
    case 2: number = seconds / 60 % 60
    case 4: return hour(seconds / 3600 % 24, state)
    // Sunday is 1.
    case 6: number = date.weekday
    case 7: number = date.day
    case 8: number = date.month
    case 9: number = date.year % 100
    case Register.century: number = date.year / 100
    case Register.statusA: return stored & 0x7f | (nanoseconds >= 1_000_000_000 - updateNanoseconds ? 0x80 : 0)
    case Register.statusC: return 0
    case Register.statusD: return 0x80
    default: return stored
    }
    return encoded(number, state)
  }

  /// The date in UTC at a time in seconds since 1970 (gmtime_r(3)); weekdays count from Sunday, 1.
  private static func calendarDate(_ seconds: Int) -> (year: Int, month: Int, day: Int, weekday: Int) {
    var time = time_t(seconds)
    var date = unsafe tm()
    // Sound: the call reads the one and fills in the other. It fails only for years that no Int32 holds, and leaves zeros.
    unsafe gmtime_r(&time, &date)
    return unsafe (Int(date.tm_year) + 1900, Int(date.tm_mon) + 1, Int(date.tm_mday), Int(date.tm_wday) + 1)
  }

  private static func hour(_ hour: Int, _ state: State) -> UInt8 {
    if state.memory[Int(Register.statusB)] & is24Hours != 0 { return encoded(hour, state) }
    let afternoon: UInt8 = hour >= 12 ? 0x80 : 0
    return encoded((hour + 11) % 12 + 1, state) | afternoon
  }

  private static func encoded(_ number: Int, _ state: State) -> UInt8 {
    let number = UInt8(truncatingIfNeeded: number)
    return state.memory[Int(Register.statusB)] & isBinary != 0 ? number : (number / 10) << 4 | number % 10
  }
}

extension RealTimeClock: RegisterDevice {
  var held: State {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

/// The time is the host's, and no part of it.
extension RealTimeClock.State: DeviceRegisters {
  init(_ saved: DeviceState) throws(DeviceStateError) {
    self.init()
    index = UInt8(truncatingIfNeeded: try saved.value("index", upTo: 0x7f))
    memory = try saved.values("memory", count: memory.count, upTo: 0xff).map { UInt8(truncatingIfNeeded: $0) }
  }

  var fields: [String: [UInt64]] { ["index": [UInt64(index)], "memory": memory.map(UInt64.init)] }
}
