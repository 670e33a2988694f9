extension Scenario {
  /// Message-signalled interrupts.
  static let messages: [Scenario] = [msiHalted]
}
