import VMM

extension Scenario {
  /// The split irqchip.
  static let splitIRQChips: [Scenario] = [
    splitEdge, splitLevel, splitEOI, splitEOIElsewhere, splitUnmask,
    splitMessages, splitPinIRQFD, splitRefusals, splitUserPIC, splitDirectedEOI, splitBroadcastEOI,
  ]

  /// Leaves only the local APICs in the kernel.
  static func useSplitIRQChip(_ configuration: inout MachineConfiguration) { configuration.irqChip = .split }
}
