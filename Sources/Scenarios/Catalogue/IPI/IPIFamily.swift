extension Scenario {
  /// Interprocessor interrupts.
  static let interprocessor: [Scenario] = [ipiSelf, ipiRunning, ipiHalted]
}
