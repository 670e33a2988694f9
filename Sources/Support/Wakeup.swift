import CSupport
import Glibc
public import SystemPackage

/// What one thread waits for and others cause (eventfd(2)): once signalled, the next wait ends at once.
public final class Wakeup: Sendable {
  private let descriptor: FileDescriptor

  /// A wake-up that nobody has signalled.
  ///
  /// - Throws: `EMFILE` or `ENFILE` where there is no descriptor left.
  public init() throws(Errno) {
    descriptor = try Wakeup.owned(csupport_eventfd())
  }

  deinit { try? descriptor.close() }

  /// A descriptor that can be read once it is signalled; valid as long as this value lives.
  public var rawDescriptor: Int32 { descriptor.rawValue }

  /// Ends the wait that goes on, or else the next.
  public func signal() {
    var one: UInt64 = 1
    // Sound: the call reads the one integer. It fails only where the counter is full, and then the wait ends anyway.
    _ = unsafe write(descriptor.rawValue, &one, MemoryLayout<UInt64>.size)
  }

  /// Waits until it is signalled, takes the signal, and returns; earlier at the deadline, or once another descriptor can be
  /// read.
  ///
  /// - Parameters:
  ///   - deadline: When to return at the latest; nil for never.
  ///   - other: A descriptor, such as that of `PendingSignals`, which is not read here.
  public func wait(until deadline: ContinuousClock.Instant? = nil, or other: Int32? = nil) {
    // A negative descriptor is passed over (poll(2)).
    var descriptors = [
      pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0),
      pollfd(fd: other ?? -1, events: Int16(POLLIN), revents: 0),
    ]
    // Sound: the array is valid during the call and has as many elements as it says. A signal's handler may end the wait
    // early, which only makes the caller look sooner.
    unsafe _ = poll(&descriptors, nfds_t(descriptors.count), Self.milliseconds(until: deadline))
    var count: UInt64 = 0
    // Sound: the call writes at most the one integer; without a signal there is nothing to read, and it does not wait.
    _ = unsafe read(descriptor.rawValue, &count, MemoryLayout<UInt64>.size)
  }

  /// What poll(2) takes: rounded up, so that the deadline has passed once it returns; -1 for no limit.
  static func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
    guard let deadline else { return -1 }
    return Int32(clamping: Int64(min(max((deadline - .now) / .milliseconds(1), 0), 1e9).rounded(.up)))
  }

  fileprivate static func owned(_ answer: Int32) throws(Errno) -> FileDescriptor {
    guard answer >= 0 else { throw Errno(rawValue: -answer) }
    return FileDescriptor(rawValue: answer)
  }
}

/// Tells by a descriptor that a signal is pending (signalfd(2)); it stays pending.
public final class PendingSignals: Sendable {
  private let descriptor: FileDescriptor

  /// Watches signals, which the process keeps blocked.
  ///
  /// - Parameter numbers: The signals' numbers.
  /// - Throws: `EMFILE` or `ENFILE` where there is no descriptor left.
  public init(_ numbers: [Int32]) throws(Errno) {
    // Sound: the call reads as many integers as the array has.
    descriptor = try Wakeup.owned(unsafe csupport_signalfd(numbers, Int32(numbers.count)))
  }

  deinit { try? descriptor.close() }

  /// Takes a signal that the process keeps blocked, if it is pending.
  ///
  /// - Parameter number: The signal's number.
  /// - Returns: Whether it was.
  public static func take(_ number: Int32) -> Bool { csupport_take_signal(number) != 0 }

  /// Has the first of some signals that comes from now on do nothing, and each one after it end the process.
  ///
  /// - Parameter numbers: The signals' numbers, none of which is blocked.
  public static func forgiveOne(of numbers: [Int32]) {
    // Sound: the call reads as many numbers as it is told.
    unsafe csupport_forgive_one_signal(numbers, Int32(numbers.count))
  }

  /// Whether the process ignores a signal (sigaction(2)): it was started so.
  ///
  /// - Parameter number: The signal's number.
  public static func isIgnored(_ number: Int32) -> Bool { csupport_ignores_signal(number) != 0 }

  /// A descriptor that can be read while one of the signals is pending; valid as long as this value lives.
  public var rawDescriptor: Int32 { descriptor.rawValue }
}
