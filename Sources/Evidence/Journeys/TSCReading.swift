import KVM

/// Something that was read, and the host's TSC at that moment.
package struct TSCReading<Value: Sendable>: Sendable {
  /// What was read.
  package let value: Value
  /// The host's TSC, in the middle of the reading.
  package let cycles: UInt64
  /// How many cycles the reading took, half of which `cycles` may be wrong by.
  let width: UInt64

  /// The closest of a few readings: the first brings code and data into the caches, and this thread may be preempted in
  /// the middle of any.
  static func closest<Failure: Error>(_ read: () throws(Failure) -> Value) throws(Failure) -> TSCReading {
    var best = try once(read)
    for _ in 0..<3 {
      let next = try once(read)
      if next.width < best.width { best = next }
    }
    return best
  }

  private static func once<Failure: Error>(_ read: () throws(Failure) -> Value) throws(Failure) -> TSCReading {
    let before = hostTSC()
    let value = try read()
    let width = hostTSC() &- before
    return TSCReading(value: value, cycles: before &+ width / 2, width: width)
  }
}
