public import KVM

/// An irqfd, with what was signalled and not yet taken.
public struct IRQFDState: Hashable, Sendable {
  /// The interrupt that it raises.
  public var gsi: UInt32
  /// What the event's counter holds.
  public var pending: UInt64 = 0
  /// What the counter of the resample event holds; nil for an irqfd without one.
  public var resamplePending: UInt64?
  /// Whether the machine itself writes to it, for a guest that asked.
  public var isOwnedByVMM = false
  /// The number of its event, where ioeventfds signal the same; nil for one of its own.
  public var event: UInt32?

  /// An irqfd on a GSI.
  public init(gsi: UInt32) { self.gsi = gsi }
}

/// An ioeventfd, with what the guest signalled and nobody took yet.
public struct IOEventState: Hashable, Sendable {
  /// Where the guest writes.
  public var address: IOEventAddress
  /// The length of the write in bytes, 0 for any.
  public var length: UInt32 = 0
  /// The only value that signals; nil for any.
  public var match: UInt64?
  /// What the event's counter holds.
  public var pending: UInt64 = 0
  /// The number of its event, where an irqfd or other ioeventfds have the same; nil for one of its own. What the counter
  /// holds is then with the first of them, irqfds before ioeventfds.
  public var event: UInt32?

  /// An ioeventfd at an address.
  public init(address: IOEventAddress) { self.address = address }
}
