extension Scenario {
  /// The split irqchip.
  static let splitIRQChips: [Scenario] = []
}
