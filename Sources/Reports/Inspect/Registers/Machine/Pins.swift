/// Pins or lines of a chip, a bit each.
enum Pins {
  /// Their numbers, as in `1, 4-7`; empty for none.
  static func list(_ bits: some FixedWidthInteger & UnsignedInteger, from first: Int = 0) -> String {
    ranges((0..<type(of: bits).bitWidth).filter { bits >> $0 & 1 == 1 }.map { $0 + first })
  }

  /// Ascending numbers, with runs of three and more as one.
  static func ranges(_ numbers: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for number in numbers {
      if let last = runs.last, last.upperBound == number - 1 {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    return runs.map { run in
      switch run.count {
      case 1: "\(run.lowerBound)"
      case 2: "\(run.lowerBound), \(run.upperBound)"
      default: "\(run.lowerBound)-\(run.upperBound)"
      }
    }.joined(separator: ", ")
  }
}
