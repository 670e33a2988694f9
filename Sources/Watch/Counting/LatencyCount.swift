import Histogram

/// How long something took, many times: its percentiles, within 1 % of the value, from 1 ns to a minute.
public struct LatencyCount: Hashable, Sendable {
  /// How often.
  public var count: UInt64
  /// The median, in nanoseconds, as all of these.
  public var median: UInt64
  /// The 90th percentile.
  public var p90: UInt64
  /// The 99th percentile.
  public var p99: UInt64
  /// The 99.9th percentile.
  public var p999: UInt64
  /// The longest.
  public var longest: UInt64
}

/// Counts latencies.
struct LatencyHistogram {
  private var histogram = Histogram<UInt32>(
    lowestDiscernibleValue: 1, highestTrackableValue: longest, numberOfSignificantValueDigits: .two)

  /// A minute: what is longer counts as that.
  private static let longest: UInt64 = 60_000_000_000

  mutating func record(_ nanoseconds: UInt64) { _ = histogram.record(min(max(nanoseconds, 1), Self.longest)) }

  mutating func reset() { if histogram.totalCount > 0 { histogram.reset() } }

  /// The percentiles; nil where nothing was counted.
  var count: LatencyCount? {
    guard histogram.totalCount > 0 else { return nil }
    return LatencyCount(
      count: histogram.totalCount, median: histogram.median, p90: histogram.valueAtPercentile(90),
      p99: histogram.valueAtPercentile(99), p999: histogram.valueAtPercentile(99.9), longest: histogram.max)
  }
}
