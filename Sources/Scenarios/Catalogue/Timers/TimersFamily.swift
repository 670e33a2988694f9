extension Scenario {
  /// Timers.
  static let timers: [Scenario] = []
}
