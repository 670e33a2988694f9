extension Scenario {
  /// The local APIC itself.
  static let localAPICs: [Scenario] = []
}
