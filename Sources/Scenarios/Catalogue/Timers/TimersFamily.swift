extension Scenario {
  /// Timers.
  static let timers: [Scenario] =
    countdowns + countdownRegisters + timerModes + deadlines + refusedDeadlines + sleepers + intervalTimer

  private static let countdowns = [timerOneShot, timerPeriodic, timerMerged, timerStopped, timerIndependent]
  private static let countdownRegisters = [timerCount, timerDivide, timerDivideArmed, timerBusCycle]
  private static let timerModes = [
    timerToPeriodic, timerToDeadline, timerFromDeadline, timerMasked, timerUnmasked, timerVector,
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
