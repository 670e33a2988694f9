/// What became of a change of a line (KVM API, KVM_IRQ_LINE_STATUS).
public enum LineStatus: Hashable, Sendable {
  /// It reached that many destinations; a line that falls counts as taken by its pins.
  case delivered(UInt32)

  /// The interrupt was pending already, so the guest sees one for both.
  case coalesced

  /// The pin is masked, or no route leads to one.
  case ignored

  init(_ status: Int32) {
    self = status > 0 ? .delivered(UInt32(status)) : status == 0 ? .coalesced : .ignored
  }
}

/// What became of an MSI (KVM API, KVM_SIGNAL_MSI).
public enum MSIAnswer: Hashable, Sendable {
  /// At least one local APIC accepted it.
  case delivered

  /// None did: no such destination, or its APIC is off.
  case blocked
}
