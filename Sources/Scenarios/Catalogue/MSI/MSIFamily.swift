extension Scenario {
  /// Message-signalled interrupts.
  static let messages: [Scenario] = plainMessages + addressedMessages + messageKinds + routedMessages + changingRoutes

  private static let plainMessages = [
    msiRunning, msiHalted, msiDisabled, msiAbsent, msiCoalesced, msiVectors, msiBurst,
  ]
  private static let addressedMessages = [
    msiLogical, msiCluster, msiBroadcast, msiLowestPriority, msiLowestDisabled, msiHint, msiWide, msiID255,
  ]
  private static let messageKinds = [msiNMI, msiNMIHalted, msiNMIDisabled, msiINIT, msiLevel]
  private static let routedMessages = [
    msiLine, irqfdMSI, irqfdHalted, irqfdCount, irqfdSignalledBefore, irqfdShared,
  ]
  private static let changingRoutes = [irqfdBeforeRoute, irqfdRerouted, irqfdDeassigned, msiRouteTwice]
}
