/// A set of deviations: which kernel a model stands for.
public struct Deviations: Hashable, Sendable {
  private var bits: UInt64

  /// No deviation: the manuals.
  public static var none: Deviations { Deviations(bits: 0) }

  /// KVM of Linux 6.18 with the defaults of its module parameters, on Intel and without APICv.
  public static var kvm: Deviations {
    [
      Deviation.serviceEndsAtDelivery, .pendingNMIsReportedAsOne, .identifierKeptFromX2APIC, .aliasesUnnoticed,
      .identifierSettable, .taskPriorityFromCR8AtExit, .commandHighKeptThroughReset, .priorityStaleWhileDisabled,
      .missingRegistersReadable, .selfIPIVirtualized, .virtualizationInhibitedByIdentifier, .inhibitionKept,
      .taskPriorityShadowed, .thresholdStaleAtEntry, .serviceVectorStale, .emptyServiceEnded,
      .eventKeptByRefusedEntry, .picPollWithoutBit7, .wakeUpKept, .shadowLostAtExit,
      .clockEndSought,
    ]
    .reduce(Deviations(bits: (1 << UInt64(Deviation.allCases.count)) - 1)) { $0.without($1) }
  }

  private init(bits: UInt64) { self.bits = bits }

  /// Whether the deviation is in the set.
  @inline(__always)
  public func contains(_ deviation: Deviation) -> Bool { bits >> UInt64(deviation.rawValue) & 1 != 0 }

  /// The set with the deviation in it.
  public func with(_ deviation: Deviation) -> Deviations { Deviations(bits: bits | 1 << UInt64(deviation.rawValue)) }

  /// The set without the deviation.
  public func without(_ deviation: Deviation) -> Deviations {
    Deviations(bits: bits & ~(1 << UInt64(deviation.rawValue)))
  }

  /// The deviations in the set, in the order of their declaration.
  public var members: [Deviation] { Deviation.allCases.filter(contains) }
}
