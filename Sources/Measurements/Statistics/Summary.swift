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

/// By how much one group of positive numbers lies above another: the Hodges-Lehmann estimate, as a ratio.
///
/// The estimate is the median of the ratios of all pairs. Its interval has the ends between which the rank test at that
/// level would not tell the groups apart.
public struct Shift: Codable, Hashable, Sendable {
  /// The second group over the first.
  public var ratio: Double
  /// The ends of the 95 % confidence interval.
  public var low: Double
  /// The upper end.
  public var high: Double

  /// The shift from `first` to `second`; nil where a group is empty or a number is not above 0.
  public init?(from first: [Double], to second: [Double]) {
    guard !first.isEmpty, !second.isEmpty, (first + second).allSatisfy({ $0 > 0 && $0.isFinite }) else { return nil }
    let ratios = second.flatMap { numerator in first.map { numerator / $0 } }.sorted()
    let middle = ratios.count / 2
    ratio = ratios.count.isMultiple(of: 2) ? (ratios[middle - 1] + ratios[middle]) / 2 : ratios[middle]
    let left = Self.pairsBeyond(first.count, second.count)
    low = ratios[left]
    high = ratios[ratios.count - 1 - left]
  }

  /// How many of the pairs lie beyond either end: as many as U is below with a probability of at most 2.5 %.
  static func pairsBeyond(_ first: Int, _ second: Int) -> Int {
    let limit = RankTest.exactLimit
    guard first + second <= limit else {
      let product = Double(first) * Double(second)
      let deviation = (product * Double(first + second + 1) / 12).squareRoot()
      return min(max(Int(product / 2 - 1.96 * deviation), 0), (first * second - 1) / 2)
    }
    // ways[n][u]: how many ways there are to place n of the first group so that u pairs are in the wrong order.
    var ways = [[Double]](repeating: [Double](repeating: 0, count: first * second + 1), count: first + 1)
    ways[0][0] = 1
    for place in 0..<(first + second) {
      for chosen in stride(from: min(first, place + 1), through: 1, by: -1) {
        // The chosen-th of the first group at this place has so many of the second below it.
        let below = place - (chosen - 1)
        guard below <= second else { continue }
        for pairs in stride(from: first * second, through: below, by: -1) {
          ways[chosen][pairs] += ways[chosen - 1][pairs - below]
        }
      }
    }
    let all = ways[first].reduce(0, +)
    var sum = 0.0
    var pairs = 0
    while pairs < (first * second - 1) / 2 {
      sum += ways[first][pairs]
      if sum / all > 0.025 { break }
      pairs += 1
    }
    return pairs
  }
}
