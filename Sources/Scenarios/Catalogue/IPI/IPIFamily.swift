extension Scenario {
  /// Interprocessor interrupts.
  static let interprocessor: [Scenario] =
    [
      ipiSelf, ipiSelfRegister, ipiRunning, ipiHalted, ipiAll, ipiOthers, ipiBroadcast,
      ipiFlat, ipiFlatCluster, ipiX2APICCluster, ipiLowestPriority,
      ipiNMI, ipiNMIHalted, ipiHaltedMasked, ipiNMIBlocked,
      ipiStartUp, ipiStartUpDropped, ipiInit, ipiInitHalted, ipiStartUpVector,
      ipiSoftwareDisabled, ipiHardwareDisabled,
      ipiTaskPriority, ipiCR8, ipiInService, ipiNested,
      ipiOrder, ipiCoalesced, ipiBehindService, ipiRequested, ipiStorm, ipiWakeStorm,
      ipiWidePhysical, ipiWideLogical, ipiWideBroadcast, ipiID255, ipiHypercall, ipiPVEOI,
    ]
}
