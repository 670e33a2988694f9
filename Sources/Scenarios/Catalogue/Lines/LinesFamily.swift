extension Scenario {
  /// Interrupt lines, through the IOAPIC and the PIC.
  static let lines: [Scenario] = []
}
