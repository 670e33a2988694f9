/// Statistics of a measurement that a few slow samples do not move.
public struct Figures: Codable, Hashable, Sendable {
  /// Half of the samples are below.
  public let median: Double
  /// A quarter of the samples are below.
  public let lowerQuartile: Double
  /// Three quarters of the samples are below.
  public let upperQuartile: Double
  /// The smallest sample.
  public let lowest: Double
  /// The largest sample.
  public let highest: Double

  /// The figures of some samples, in their unit; NaN where there are none.
  public init(of samples: [Double]) {
    let sorted = samples.sorted()
    median = Self.quantile(0.5, of: sorted)
    lowerQuartile = Self.quantile(0.25, of: sorted)
    upperQuartile = Self.quantile(0.75, of: sorted)
    lowest = sorted.first ?? .nan
    highest = sorted.last ?? .nan
  }

  /// Between two samples, the straight line from one to the other.
  private static func quantile(_ fraction: Double, of sorted: [Double]) -> Double {
    guard let last = sorted.indices.last else { return .nan }
    let place = fraction * Double(last)
    let below = Int(place)
    let above = min(below + 1, last)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }
}
