import Histogram

/// The figures of a distribution that people quote, in the unit of its samples.
public struct Summary: Codable, Hashable, Sendable {
  /// How many samples.
  public var n: UInt64
  /// The smallest.
  public var min: UInt64
  /// Half of them are at most so large.
  public var p50: UInt64
  /// 90 % are.
  public var p90: UInt64
  /// 99 % are.
  public var p99: UInt64
  /// 99.9 % are.
  public var p999: UInt64
  /// The largest.
  public var max: UInt64
  /// The arithmetic mean.
  public var mean: Double

  /// The figures of a histogram, as exact as its buckets are; the smallest and the largest are exact.
  init(_ histogram: Histogram<UInt64>) {
    n = histogram.totalCount
    min = histogram.min
    p50 = histogram.valueAtPercentile(50)
    p90 = histogram.valueAtPercentile(90)
    p99 = histogram.valueAtPercentile(99)
    p999 = histogram.valueAtPercentile(99.9)
    max = histogram.maxRecorded
    mean = histogram.mean
  }
}
