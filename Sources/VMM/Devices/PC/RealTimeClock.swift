import Glibc
import Synchronization

/// A PC's real-time clock and its memory, an MC146818: the host's UTC, and bytes that keep what is written. It does not
/// interrupt; its alarm only wakes a machine that sleeps.
final class RealTimeClock: BusDevice {
  static let ports: Range<UInt64> = 0x70..<0x72

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
    let day = seconds / 86_400
    let date = CalendarDate(daysSince1970: day)
    let number: Int
    switch index {
    case 0: number = seconds % 60
    case 2: number = seconds / 60 % 60
    case 4: return hour(seconds / 3600 % 24, state)
    // The 1st of January 1970 was a Thursday; Sunday is 1.
    case 6: number = (day + 4) % 7 + 1
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

/// A day of the Gregorian calendar.
struct CalendarDate: Hashable {
  let year: Int
  let month: Int
  let day: Int

  /// The day that comes so many days, from 0, after the 1st of January 1970.
  init(daysSince1970 count: Int) {
    // Years are taken to begin in March, so that a leap day is their last; eras of 400 years all have as many days.
    let days = count + 719_468
    let era = days / 146_097
    let dayOfEra = days % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
  }
}
