/// Statistics that a few slow runs do not move.
struct Figures: Encodable {
  let median: Double
  let lowerQuartile: Double
  let upperQuartile: Double
  let lowest: Double
  let highest: Double

  /// The figures of `values`, of which there is at least one.
  init(of values: [Double]) {
    let sorted = values.sorted()
    median = Self.quantile(0.5, of: sorted)
    lowerQuartile = Self.quantile(0.25, of: sorted)
    upperQuartile = Self.quantile(0.75, of: sorted)
    lowest = sorted.first ?? .nan
    highest = sorted.last ?? .nan
  }

  /// Between two values, the straight line from one to the other.
  private static func quantile(_ fraction: Double, of sorted: [Double]) -> Double {
    guard let last = sorted.indices.last else { return .nan }
    let place = fraction * Double(last)
    let below = Int(place)
    let above = min(below + 1, last)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }
}
