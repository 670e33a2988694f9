extension Scenario {
  /// APIC virtualization by hardware, and what switches it off.
  static let apicv: [Scenario] = []
}
