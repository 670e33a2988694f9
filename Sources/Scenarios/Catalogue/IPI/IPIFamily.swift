extension Scenario {
  /// Interprocessor interrupts.
  static let interprocessor: [Scenario] =
    [
      ipiSelf, ipiSelfRegister, ipiRunning, ipiHalted, ipiAll, ipiOthers, ipiBroadcast,
      ipiFlat, ipiFlatCluster, ipiX2APICCluster, ipiLowestPriority,
      ipiNMI, ipiNMIHalted, ipiHaltedMasked, ipiNMIBlocked, ipiNMIOthers, ipiNMIPriority,
      ipiStartUp, ipiStartUpDropped, ipiInit, ipiInitHalted, ipiInitDeassert, ipiStartUpVector,
      ipiSoftwareDisabled, ipiHardwareDisabled, ipiAbsent,
      ipiTaskPriority, ipiCR8, ipiInService, ipiNested,
      ipiOrder, ipiEveryVector, ipiCoalesced, ipiBehindService, ipiRequested, ipiStorm, ipiWakeStorm,
      ipiWidePhysical, ipiWideLogical, ipiWideBroadcast, ipiID255, ipiHypercall, ipiPVEOI,
    ]
}
