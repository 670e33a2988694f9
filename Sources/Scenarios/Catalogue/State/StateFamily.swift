extension Scenario {
  /// The calls that get and set interrupt state.
  static let stateCalls: [Scenario] = [
    lapicRoundTrip, lapicPending, lapicInService, lapicStatePriority, lapicForeignID,
    ioapicState, ioapicPendingState, picState, pitState,
    mpState, mpStateUninitialized, eventsNMI, eventsNMIMasked, eventsInjected, eventsRefused, nmiFromOutside,
    interruptRefused, bootCPU, bootCPULate, vapicWord, vapicPriority, tprReporting,
    ioEventPort, ioEventMemory, ioEventMatch, ioEventAnyLength, ioEventToIRQFD,
    orderDeadline, asyncPageFault, pvKick, syntheticTimer, syntheticInterrupt,
  ]
}
