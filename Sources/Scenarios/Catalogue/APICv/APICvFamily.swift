extension Scenario {
  /// APIC virtualization by hardware, and what switches it off.
  static let apicv: [Scenario] =
    [
      apicvActive, apicvPostedIPI, apicvPostedMSI, apicvWoken, apicvPreempted, apicvContended, apicvPending,
      apicvTimer, apicvEOIExit, apicvReads, apicvPriority, apicvEOI, apicvAccessPage, apicvBlocked,
      apicvInService,
    ] + apicvSwitched + apicvReleased + apicvInhibited + apicvRestored
}
