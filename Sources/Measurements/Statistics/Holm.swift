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
