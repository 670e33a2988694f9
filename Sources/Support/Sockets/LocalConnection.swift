import CSupport
public import SystemPackage

/// One end of a connection between programs of this host.
public final class LocalConnection: Sendable {
  private let descriptor: FileDescriptor

  /// The connection of a descriptor, non-blocking, which it then owns.
  init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

  deinit { try? descriptor.close() }

  /// Two ends of one connection (socketpair(2)).
  ///
  /// - Throws: `EMFILE` or `ENFILE` where there is no descriptor left.
  public static func pair() throws(Errno) -> (LocalConnection, LocalConnection) {
    var ends: [Int32] = [0, 0]
    // Sound: the shim writes two integers.
    let answer = unsafe csupport_socket_pair(&ends)
    guard answer == 0 else { throw Errno(rawValue: -answer) }
    return (LocalConnection(FileDescriptor(rawValue: ends[0])), LocalConnection(FileDescriptor(rawValue: ends[1])))
  }

  /// A descriptor that can be read while bytes wait or the other end has closed; valid as long as this value lives.
  public var rawDescriptor: Int32 { descriptor.rawValue }

  /// Takes what has come, without waiting.
  ///
  /// - Parameter count: How many bytes at the most, from 1.
  /// - Returns: The bytes, none where none have come; nil once the other end has closed or the connection is broken.
  public func receive(atMost count: Int = 4096) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    // Sound: the shim writes at most as many bytes as the buffer has, which is valid during the call.
    let answer = unsafe bytes.withUnsafeMutableBytes {
      unsafe csupport_receive(descriptor.rawValue, $0.baseAddress, $0.count)
    }
    if answer > 0 { return Array(bytes.prefix(answer)) }
    switch Errno(rawValue: Int32(truncatingIfNeeded: -answer)) {
    case .resourceTemporarilyUnavailable, .interrupted: return []
    default: return nil
    }
  }

  /// Sends what there is room for, without waiting.
  ///
  /// - Returns: How many bytes were taken; nil once the other end has gone.
  public func sendNow(_ bytes: ArraySlice<UInt8>) -> Int? {
    // Sound: the shim reads as many bytes as the buffer has, which is valid during the call.
    let answer = unsafe bytes.withUnsafeBytes { unsafe csupport_send(descriptor.rawValue, $0.baseAddress, $0.count) }
    if answer >= 0 { return answer }
    switch Errno(rawValue: Int32(truncatingIfNeeded: -answer)) {
    case .resourceTemporarilyUnavailable, .interrupted: return 0
    default: return nil
    }
  }

  /// Sends all of the bytes, waiting for as long as the other end does not take them.
  ///
  /// - Parameters:
  ///   - bytes: What is sent.
  ///   - cancelled: A descriptor that ends the wait once it can be read; nil for none.
  ///   - deadline: When the wait ends at the latest; nil for never.
  /// - Returns: Whether all of them were taken.
  public func send(
    _ bytes: [UInt8], unless cancelled: Int32? = nil, until deadline: ContinuousClock.Instant? = nil
  ) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      // Sound: the shim reads as many bytes as the buffer has, which is valid during the call.
      let answer = unsafe rest.withUnsafeBytes {
        unsafe csupport_send(descriptor.rawValue, $0.baseAddress, $0.count)
      }
      if answer > 0 {
        rest = rest.dropFirst(answer)
        continue
      }
      switch Errno(rawValue: Int32(truncatingIfNeeded: -answer)) {
      case .interrupted: break
      case .resourceTemporarilyUnavailable:
        if let deadline, .now >= deadline { return false }
        let limit = Wakeup.milliseconds(until: deadline)
        guard csupport_wait_writable(descriptor.rawValue, cancelled ?? -1, limit) == 0 else { return false }
      default: return false
      }
    }
    return true
  }
}

/// Waits for several descriptors at once (poll(2)).
public enum Readiness {
  /// Waits until one of them can be read or its other end has closed, or until the deadline; a signal may end the wait
  /// early.
  ///
  /// - Parameters:
  ///   - descriptors: At most 64; nil for none in that place.
  ///   - deadline: When to return at the latest; nil for never.
  /// - Returns: Whether each can be read.
  /// - Throws: What poll(2) says: `EINVAL` for too many, `ENOMEM`.
  public static func wait(
    for descriptors: [Int32?], until deadline: ContinuousClock.Instant? = nil
  ) throws(Errno) -> [Bool] {
    let numbers = descriptors.map { $0 ?? -1 }
    var ready: UInt64 = 0
    // Sound: the shim reads as many integers as it is told that there are, and writes one.
    let answer = unsafe csupport_wait_readable(
      numbers, Int32(clamping: numbers.count), Wakeup.milliseconds(until: deadline), &ready)
    guard answer == 0 else { throw Errno(rawValue: -answer) }
    return numbers.indices.map { ready >> UInt64($0) & 1 == 1 }
  }
}
