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
