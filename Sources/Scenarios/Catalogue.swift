extension Scenario {
  /// Every scenario, in the order in which they are run, family by family. A new one is a file in its family's folder and
  /// its name in the family's list below.
  public static let catalogue: [Scenario] =
    interprocessor + ipiVirtualization + localAPICs + timers + messages + lines + splitIRQChips + apicv + stateCalls
    + snapshots + virtio + virtio.map { $0.onSplitIRQChip(as: "split.\($0.id)") }
}

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

extension Scenario {
  /// Interprocessor interrupts that processors send without KVM.
  static let ipiVirtualization: [Scenario] = [
    ipivRunning, ipivOwnID, ipivHalted, ipivOutside, ipivNMI, ipivLogical, ipivShorthand, ipivAbsent, ipivIllegalVector,
  ]
}

extension Scenario {
  /// The local APIC itself.
  static let localAPICs: [Scenario] = [
    lapicReset, lapicResetX2APIC, lapicInit,
    lapicReadOnly, lapicReadOnlyX2APIC, lapicMissingX2APIC, lapicReservedX2APIC, lapicNoSelfIPI, lapicNoX2APIC,
    lapicVersion, lapicCMCI, lapicLVT, lapicSpurious, lapicErrorStatus, lapicCommand, lapicLogical,
    lapicSoftwareDisable, lapicDisabled, lapicMoved, lapicModes, lapicID, lapicX2APICID,
    lapicCR8, lapicCR8Reserved, lapicSubclass, lapicPriority, lapicEndOfInterrupt, lapicLINT0, lapicLINT1, lapicPVEOI,
  ]
}

extension Scenario {
  /// Timers.
  static let timers: [Scenario] =
    countdowns + countdownRegisters + timerModes + deadlines + refusedDeadlines + sleepers + intervalTimer

  private static let countdowns = [timerOneShot, timerPeriodic, timerMerged, timerStopped, timerIndependent]
  private static let countdownRegisters = [timerCount, timerDivide, timerDivideArmed, timerBusCycle]
  private static let timerModes = [
    timerToPeriodic, timerToDeadline, timerFromDeadline, timerMasked, timerUnmasked, timerMaskedDeadline, timerVector,
  ]
  private static let deadlines = [
    timerDeadline, timerDeadlineChain, timerDeadlinePast, timerDeadlineCancelled, timerDeadlineLater,
    timerDeadlineEarlier,
    timerDeadlineReads,
  ]
  private static let refusedDeadlines = [timerDeadlineIgnored, timerCountIgnored]
  private static let sleepers = [timerHalt, timerDeadlineHalt]
  private static let intervalTimer = [
    pitPIC, pitIOAPIC, pitOneShot, pitHalt, pitMSI, pitReinjected, pitDropped, pitLazy,
  ]
}

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

extension Scenario {
  /// Interrupt lines, through the IOAPIC and the PIC.
  static let lines: [Scenario] =
    ioapic + [
      routingLow, routingHigh, routingCustom, routingShared, lineAnswers, resample, resampleShared, rtcCoalesced,
      picEdge, picLevel, picMasked, picCascaded, picSpurious, picLINT0,
      picRegisters, picPriority, picRotation, picAutomaticEOI, picPoll,
      interruptWindow, interruptWindowPIC, shadowSTI, shadowMOVSS, shadowEnd,
    ]

  /// The IOAPIC's, which are run with a split irqchip as well.
  static let ioapic: [Scenario] = [
    ioapicEdge, ioapicMaskedEdge, ioapicPolarity, ioapicLevel, ioapicServed, ioapicRemoteIRR, ioapicInService,
    ioapicMaskedLevel, ioapicMaskedInService, ioapicWithdrawn, ioapicEdgeMadeLevel, ioapicSharedVector,
    ioapicRedirected, ioapicRewrittenInService, ioapicMadeEdge, ioapicRegisters,
    ioapicPhysical, ioapicLogical, ioapicLowestPriority, ioapicNMI, ioapicExternal,
  ]
}

extension Scenario {
  /// APIC virtualization by hardware, and what switches it off.
  static let apicv: [Scenario] =
    [
      apicvActive, apicvPostedIPI, apicvPostedMSI, apicvWoken, apicvPreempted, apicvContended, apicvPending,
      apicvTimer, apicvEOIExit, apicvReads, apicvPriority, apicvEOI, apicvAccessPage, apicvBlocked,
      apicvInService,
    ] + apicvSwitched + apicvReleased + apicvInhibited + apicvRestored
}

extension Scenario {
  /// The calls that get and set interrupt state.
  static let stateCalls: [Scenario] = [
    lapicRoundTrip, lapicPending, lapicInService, lapicStatePriority, lapicForeignID,
    ioapicState, ioapicPendingState, picState, pitState,
    mpState, mpStateUninitialized, eventsNMI, eventsNMIMasked, eventsInjected, eventsRefused, nmiFromOutside,
    interruptRefused, bootCPU, bootCPULate, vapicWord, vapicPriority, tprReporting,
    ioEventPort, ioEventMemory, ioEventMatch, ioEventAnyLength, ioEventToIRQFD,
    orderDeadline, orderTSC, orderBase, asyncPageFault, pvKick, syntheticTimer, syntheticInterrupt,
  ]
}

extension Scenario {
  /// Going on from a snapshot, with nothing lost and nothing twice.
  static let snapshots: [Scenario] = [
    snapshotPending, snapshotPaused, snapshotPriority, snapshotSubclass, snapshotInjected, snapshotPosted,
    snapshotInService, snapshotNested, snapshotNestedHandlers, snapshotInHandler,
    snapshotOneShot, snapshotRemaining, snapshotOneShotDue, snapshotOneShotOverdue, snapshotOneShotRace,
    snapshotPeriodic, snapshotPeriodicOverdue,
    snapshotDeadline, snapshotDeadlineDue, snapshotDeadlineOverdue, snapshotDeadlineRace, snapshotTime,
    snapshotTimeStands,
    snapshotGenerationsOneShot, snapshotGenerationsDeadline, snapshotGenerationsMasked,
    snapshotGenerationsExpired,
    snapshotRemoteIRR, snapshotRemoteIRRSplit, snapshotLevelInService, snapshotLevelInServiceSplit, snapshotLevel,
    snapshotLevelSplit,
    snapshotMaskedLevel, snapshotMaskedLevelSplit, snapshotEdge, snapshotEdgeSplit,
    snapshotNMI, snapshotNMIBlocked, snapshotShadow,
    snapshotHalted, snapshotHaltedMasked, snapshotInitReceived, snapshotStartUpPending, snapshotUninitialized,
    snapshotWideIDs,
    snapshotIRQFD, snapshotIRQFDUntaken, snapshotIRQFDMeanwhile, snapshotResample, snapshotResampleUntaken,
    snapshotIOEventFD, snapshotIOEventToIRQFD,
    snapshotCascade, snapshotPICPending, snapshotPITOnce, snapshotPITPeriodic,
    snapshotSame, snapshotSameSplit, snapshotRegisters, snapshotModelRegisters, snapshotClock,
    snapshotExtended, snapshotVAPIC,
    snapshotTPRReporting,
    snapshotChain,
  ]
}

extension Scenario {
  /// Virtio devices, whose completions are MSI-X messages by irqfds.
  static let virtio: [Scenario] = [
    virtioCompletion, virtioHalted, virtioMasked, virtioFunctionMasked, virtioAffinity, virtioLine, virtioBroken,
    virtioSnapshot, virtioSnapshotPending,
  ]
}
