extension Scenario {
  /// Every scenario, in the order in which they are run, family by family. A new one is a file in its family's folder and
  /// a line in the family's list.
  public static let catalogue: [Scenario] =
    interprocessor + localAPICs + timers + messages + lines + splitIRQChips + apicv + stateCalls + snapshots
}
