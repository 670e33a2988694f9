/// Whether two groups of numbers come from one distribution: the Mann-Whitney U test, two-sided.
///
/// It asks nothing of the shape of the distribution, which for latencies is never normal. The groups are the rounds of two
/// runs, one number a round: samples of one round depend on each other, rounds do not.
public enum RankTest {
  /// With more numbers than this the normal approximation serves, which is good from some twenty on.
  static let exactLimit = 60

  /// The probability that groups of one distribution differ in rank by as much as these.
  ///
  /// Up to 60 numbers the permutation distribution of the rank sum is counted, which is exact with ties too; beyond, it
  /// is approximated by a normal one, corrected for ties and continuity.
  ///
  /// - Returns: the two-sided p-value; 1 where a group is empty.
  public static func pValue(_ first: [Double], _ second: [Double]) -> Double {
    guard !first.isEmpty, !second.isEmpty else { return 1 }
    let ranks = doubledMidranks(first + second)
    let sum = ranks[..<first.count].reduce(0, +)
    return ranks.count <= exactLimit
      ? exact(ranks, choosing: first.count, sum: sum) : approximate(ranks, choosing: first.count, sum: sum)
  }

  /// The smallest p-value that groups of these sizes can have: that of two groups of which one lies wholly above the other.
  public static func smallestPValue(_ first: Int, _ second: Int) -> Double {
    guard first > 0, second > 0 else { return 1 }
    // 2 divided by the number of ways to choose `first` of all.
    var value = 2.0
    for step in 1...first { value *= Double(step) / Double(second + step) }
    return min(value, 1)
  }

  /// Twice the rank of each number, from 1; equal numbers share the mean of their ranks.
  static func doubledMidranks(_ numbers: [Double]) -> [Int] {
    let order = numbers.indices.sorted { numbers[$0] < numbers[$1] }
    var ranks = [Int](repeating: 0, count: numbers.count)
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, numbers[order[end]] == numbers[order[start]] { end += 1 }
      for place in order[start..<end] { ranks[place] = start + 1 + end }
      start = end
    }
    return ranks
  }

  /// Counts, for every way of choosing so many of the ranks, those whose sum lies as far from the mean as `sum` does.
  private static func exact(_ ranks: [Int], choosing count: Int, sum: Int) -> Double {
    let total = ranks.reduce(0, +)
    // ways[n][s]: how many ways there are to choose n ranks with the sum s.
    var ways = [[Double]](repeating: [Double](repeating: 0, count: total + 1), count: count + 1)
    ways[0][0] = 1
    for (done, rank) in ranks.enumerated() {
      for chosen in stride(from: min(count, done + 1), through: 1, by: -1) {
        for partial in stride(from: total, through: rank, by: -1) where ways[chosen - 1][partial - rank] > 0 {
          ways[chosen][partial] += ways[chosen - 1][partial - rank]
        }
      }
    }
    // Compared as whole numbers: the mean of the sum is total * count / ranks.count.
    func distance(_ sum: Int) -> Int { abs(sum * ranks.count - total * count) }
    let all = ways[count].reduce(0, +)
    let far = ways[count].indices.reduce(0.0) { distance($1) >= distance(sum) ? $0 + ways[count][$1] : $0 }
    return min(far / all, 1)
  }

  private static func approximate(_ ranks: [Int], choosing count: Int, sum: Int) -> Double {
    let n = Double(ranks.count)
    let first = Double(count)
    let mean = Double(ranks.reduce(0, +)) / 2 / n
    let variance = ranks.reduce(0.0) { $0 + (Double($1) / 2 - mean) * (Double($1) / 2 - mean) } / n
    let deviation = (first * (n - first) / (n - 1) * variance).squareRoot()
    guard deviation > 0 else { return 1 }
    let distance = max(abs(Double(sum) / 2 - first * mean) - 0.5, 0)
    return 2 * NormalDistribution.upperTail(distance / deviation)
  }
}

/// The standard normal distribution, as far as a test needs it, without a mathematics library.
enum NormalDistribution {
  /// How much of it lies above `z`, which is not negative.
  ///
  /// Up to 6 it is the series of the error function, whose terms are all positive; above, nothing that anybody prints.
  static func upperTail(_ z: Double) -> Double {
    guard z < 6 else { return 0 }
    // Phi(z) - 1/2 = phi(z) * (z + z^3/3 + z^5/(3*5) + ...)  (Marsaglia, "Evaluating the Normal Distribution", 2004)
    var term = z
    var sum = z
    var odd = 3.0
    while term > sum * 1e-17, term > 0 {
      term *= z * z / odd
      sum += term
      odd += 2
    }
    return max(0.5 - sum * density(z), 0)
  }

  /// exp(-z^2/2) / sqrt(2 pi).
  private static func density(_ z: Double) -> Double {
    // exp(-x) as exp(-x/1024)^1024, of which the series converges at once.
    let x = -z * z / 2 / 1024
    var power = 1 + x * (1 + x / 2 * (1 + x / 3 * (1 + x / 4 * (1 + x / 5))))
    for _ in 0..<10 { power *= power }
    return power * 0.398_942_280_401_432_7
  }
}

/// Holm's correction: of many tests on runs that do not differ some would find a difference by chance.
public enum Holm {
  /// The p-values, so enlarged that all those below a level are together wrong with at most that probability.
  public static func adjusted(_ pValues: [Double]) -> [Double] {
    let order = pValues.indices.sorted { pValues[$0] < pValues[$1] }
    var result = pValues
    var largest = 0.0
    for (place, index) in order.enumerated() {
      largest = max(largest, min(pValues[index] * Double(pValues.count - place), 1))
      result[index] = largest
    }
    return result
  }
}

extension [Double] {
  /// The middle one of the numbers, or the mean of the two in the middle; 0 where there is none.
  public var median: Double {
    guard !isEmpty else { return 0 }
    let sorted = sorted()
    let middle = count / 2
    return count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}
