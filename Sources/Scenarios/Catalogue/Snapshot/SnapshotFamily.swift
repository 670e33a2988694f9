extension Scenario {
  /// Going on from a snapshot, with nothing lost and nothing twice.
  static let snapshots: [Scenario] = [
    snapshotPending, snapshotPaused, snapshotPriority, snapshotSubclass, snapshotInjected, snapshotPosted,
    snapshotInService, snapshotNested, snapshotNestedHandlers, snapshotInHandler,
    snapshotOneShot, snapshotRemaining, snapshotOneShotDue, snapshotOneShotOverdue, snapshotOneShotRace,
    snapshotPeriodic, snapshotPeriodicOverdue,
    snapshotDeadline, snapshotDeadlineDue, snapshotDeadlineOverdue, snapshotDeadlineRace, snapshotTime,
    snapshotTimeStands,
    snapshotRemoteIRR, snapshotRemoteIRRSplit, snapshotLevelInService, snapshotLevelInServiceSplit, snapshotLevel,
    snapshotLevelSplit,
    snapshotMaskedLevel, snapshotMaskedLevelSplit, snapshotEdge, snapshotEdgeSplit,
    snapshotNMI, snapshotNMIBlocked, snapshotShadow,
    snapshotHalted, snapshotHaltedMasked, snapshotInitReceived, snapshotStartUpPending, snapshotUninitialized,
    snapshotWideIDs,
    snapshotIRQFD, snapshotIRQFDUntaken, snapshotIRQFDMeanwhile, snapshotResample, snapshotResampleUntaken,
    snapshotIOEventFD, snapshotIOEventToIRQFD,
    snapshotCascade, snapshotPICPending, snapshotPITOnce, snapshotPITPeriodic,
    snapshotSame, snapshotSameSplit, snapshotRegisters, snapshotExtended, snapshotVAPIC, snapshotTPRReporting,
    snapshotChain,
  ]
}
