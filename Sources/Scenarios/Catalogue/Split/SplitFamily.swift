extension Scenario {
  /// The split irqchip.
  static let splitIRQChips: [Scenario] = [
    splitEdge, splitLevel, splitEOI, splitEOIElsewhere, splitUnmask,
    splitMessages, splitPinIRQFD, splitRefusals, splitUserPIC, splitDirectedEOI, splitBroadcastEOI,
  ]
}
