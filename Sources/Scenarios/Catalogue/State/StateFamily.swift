extension Scenario {
  /// The calls that get and set interrupt state.
  static let stateCalls: [Scenario] = []
}
