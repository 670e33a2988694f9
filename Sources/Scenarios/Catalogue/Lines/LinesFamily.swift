extension Scenario {
  /// Interrupt lines, through the IOAPIC and the PIC.
  static let lines: [Scenario] = [
    ioapicEdge, ioapicMaskedEdge, ioapicPolarity, ioapicLevel, ioapicServed, ioapicRemoteIRR, ioapicInService,
    ioapicMaskedLevel, ioapicWithdrawn, ioapicRedirected, ioapicRewrittenInService, ioapicMadeEdge, ioapicRegisters,
    ioapicPhysical, ioapicLogical, ioapicLowestPriority, ioapicNMI, ioapicExternal,
    routingLow, routingHigh, routingCustom, routingShared, lineAnswers, resample, resampleShared,
    picEdge, picLevel, picMasked, picCascaded, picSpurious, picLINT0,
    picRegisters, picPriority, picRotation, picAutomaticEOI, picPoll,
    interruptWindow, interruptWindowPIC, shadowSTI, shadowMOVSS, shadowEnd,
  ]
}
