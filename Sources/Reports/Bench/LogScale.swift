/// A logarithmic axis of time, twelve columns a decade: what distributions with long tails are drawn on.
struct LogScale {
  static let columnsPerDecade = 12
  /// 10 to the power of 1/12.
  private static let step = 1.211_527_658_628_588_4

  /// Where the axis begins, in nanoseconds: a power of ten.
  let start: Double
  let decades: Int
  private let edges: [Double]

  var columns: Int { decades * Self.columnsPerDecade }

  /// An axis of whole decades that holds all of these times, in nanoseconds; nil where there are none. A time of 0, which
  /// no decade holds, lies at its beginning.
  init?(_ times: [Double]) {
    guard let most = times.max() else { return nil }
    let least = times.lazy.filter { $0 > 0 }.min() ?? most
    var start = 1.0
    while start * 10 <= least, start < 1e15 { start *= 10 }
    var decades = 1
    var end = start * 10
    while end <= most, decades < 16 {
      end *= 10
      decades += 1
    }
    self.start = start
    self.decades = decades
    var edges: [Double] = []
    var decade = start
    for _ in 0..<decades {
      var edge = decade
      for _ in 0..<Self.columnsPerDecade {
        edges.append(edge)
        edge *= Self.step
      }
      decade *= 10
    }
    self.edges = edges + [decade]
  }

  /// Where a time lies, in columns from the left; straight lines between two columns.
  func position(_ time: Double) -> Double {
    guard time > start else { return 0 }
    guard let right = edges.firstIndex(where: { $0 > time }) else { return Double(columns) }
    return Double(right - 1) + (time - edges[right - 1]) / (edges[right] - edges[right - 1])
  }

  /// How many samples lie in each column.
  func counts(_ samples: [(nanoseconds: Double, count: UInt64)]) -> [UInt64] {
    var counts = [UInt64](repeating: 0, count: columns)
    for sample in samples {
      let column = min(Int(position(sample.nanoseconds)), columns - 1)
      let (sum, overflow) = counts[column].addingReportingOverflow(sample.count)
      counts[column] = overflow ? .max : sum
    }
    return counts
  }

  /// The decades' beginnings with their names, by column; the end too.
  var marks: [(column: Int, label: String)] {
    var time = start
    return (0...decades).map { decade in
      defer { time *= 10 }
      let (size, unit) = time >= 1e9 ? (1e9, "s") : time >= 1e6 ? (1e6, "ms") : time >= 1e3 ? (1e3, "µs") : (1, "ns")
      return (decade * Self.columnsPerDecade, "\(Units.fixed(time / size, digits: 0)) \(unit)")
    }
  }
}
