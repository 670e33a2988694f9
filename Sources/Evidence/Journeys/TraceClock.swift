import APIC
import Glibc
import KVM

/// Turns the times of a trace, which are cycles of the host's TSC, into the host's time.
package struct TraceClock: Sendable {
  /// The host's time, with the host's TSC.
  package typealias Reading = TSCReading<ContinuousClock.Instant>

  private let start: Reading
  private var cyclesPerNanosecond: Double
  /// Further readings, as distances from the first: between two of them time goes as they say, so that what was told
  /// already stays as it is while more come.
  private var marks: [(cycles: Int64, nanoseconds: Int64)] = []

  /// A reading of now.
  package static func now() -> Reading { .closest { ContinuousClock.now } }

  /// A reading some time after an earlier one: waits where that is not over yet.
  package static func later(than earlier: Reading, by time: Duration) -> Reading {
    let rest = earlier.value + time - ContinuousClock.now
    if rest > .zero { usleep(UInt32(min(rest / .microseconds(1), 1e6))) }
    return now()
  }

  /// A clock through two readings; the further apart they are, the better.
  package init(_ start: Reading, _ end: Reading) {
    self.start = start
    let nanoseconds = (end.value - start.value) / .nanoseconds(1)
    cyclesPerNanosecond = nanoseconds > 0 ? Double(end.cycles &- start.cycles) / nanoseconds : 1
  }

  /// How many cycles a length of time has.
  package func cycles(in time: Duration) -> UInt64 { UInt64(max(0, time / .nanoseconds(1) * cyclesPerNanosecond)) }

  /// When the host's TSC showed that: nanoseconds since the first reading.
  package func nanoseconds(_ cycles: UInt64) -> Int64 {
    let distance = Int64(bitPattern: cycles &- start.cycles)
    // A trace is hours from the readings at most, which an Int64 holds many times.
    guard let last = marks.last, distance > 0 else { return Self.bounded(Double(distance) / slope) }
    guard distance < last.cycles else { return last.nanoseconds + Self.bounded(Double(distance - last.cycles) / slope) }
    // What is asked for is mostly new.
    var (low, high) = (0, marks.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if marks[middle].cycles <= distance { low = middle + 1 } else { high = middle }
    }
    let from = low > 0 ? marks[low - 1] : (cycles: 0, nanoseconds: 0)
    let part = Double(distance - from.cycles) / Double(marks[low].cycles - from.cycles)
    return from.nanoseconds + Self.bounded(part * Double(marks[low].nanoseconds - from.nanoseconds))
  }

  /// Learns a further reading, later than all before: times up to then are final from now on.
  package mutating func mark(_ reading: Reading) {
    let cycles = Int64(bitPattern: reading.cycles &- start.cycles)
    let nanoseconds = Self.bounded((reading.value - start.value) / .nanoseconds(1))
    let last = marks.last ?? (cycles: 0, nanoseconds: 0)
    guard cycles > last.cycles, nanoseconds > last.nanoseconds else { return }
    if marks.count >= Self.markLimit { thin() }
    marks.append((cycles, nanoseconds))
    cyclesPerNanosecond = Double(cycles) / Double(nanoseconds)
  }

  /// How many readings are kept: of an hour, where fifty come a second.
  private static let markLimit = 180_000

  /// Forgets every second reading; what they told changes by the nanoseconds that they are wrong by.
  private mutating func thin() {
    marks = marks.indices.filter { $0 % 2 == 1 }.map { marks[$0] }
  }

  private var slope: Double { max(cyclesPerNanosecond, 1e-3) }

  private static func bounded(_ nanoseconds: Double) -> Int64 { Int64(min(max(nanoseconds, -1e18), 1e18)) }
}

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

/// How a guest's TSC stands to the host's, which traces have: close enough to tell what came first.
struct GuestTSC: Hashable, Sendable {
  /// What the guest's is ahead, modulo 2^64.
  let offset: UInt64

  init(offset: UInt64) {
    self.offset = offset
  }

  /// That of a vCPU that does not run, unless its TSC is scaled.
  ///
  /// KVM knows the offset; but a back end that cannot give its guests one may name one all the same. So it is measured
  /// too, which is less precise, and what is named counts where it is not far from that.
  ///
  /// - Throws: `KVMError` where KVM does not tell the vCPU's TSC.
  init(of vcpu: VCPU) throws(KVMError) {
    let reading = try TSCReading.closest { () throws(KVMError) in
      try vcpu.msrs([MSR.tsc]).entries.first?.value ?? 0
    }
    let measured = reading.value &- reading.cycles
    let named = (try? vcpu.tscOffset()) ?? measured
    offset = Int64(bitPattern: named &- measured).magnitude <= reading.width ? named : measured
  }

  /// What the host's TSC was when the guest's was that.
  func hostCycles(at tsc: UInt64) -> UInt64 { tsc &- offset }
}
