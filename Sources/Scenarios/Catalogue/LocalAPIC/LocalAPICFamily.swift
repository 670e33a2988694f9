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
