/// An event that raises a GSI (KVM_IRQFD), as it was assigned.
public struct IRQFD: Sendable {
  /// What devices write to.
  public var event: EventDescriptor
  /// What KVM writes to at EOI, for a level-triggered interrupt.
  public var resample: EventDescriptor?
  /// The interrupt.
  public var gsi: UInt32

  /// An irqfd.
  public init(event: EventDescriptor, resample: EventDescriptor? = nil, gsi: UInt32) {
    self.event = event
    self.resample = resample
    self.gsi = gsi
  }
}

/// An event that guest writes signal (KVM_IOEVENTFD), as it was assigned.
public struct IOEvent: Sendable {
  /// What is signalled.
  public var event: EventDescriptor
  /// Where the guest writes.
  public var address: IOEventAddress
  /// The length of the write in bytes; 0 for any.
  public var length: UInt32
  /// The only value that signals; nil for any.
  public var match: UInt64?
}
