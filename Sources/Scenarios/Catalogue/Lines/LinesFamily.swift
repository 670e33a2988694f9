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
