public import APIC

/// One interrupt's way from its source to its end, as far as it left a trace, in the unit of the trace's clock: what
/// `JourneyTracker` tells of an interrupt that is over.
///
/// What is nil was not seen.
public struct TrackedJourney: Hashable, Sendable {
  /// The index of the vCPU that it was for.
  public var vcpu: Int
  /// Its vector.
  public var vector: Vector
  /// What it came from.
  public var source: InterruptSource?
  /// When its local APIC accepted it (kvm_apic_accept_irq).
  public var accepted: UInt64?
  /// How many more of the same vector were accepted before it was delivered, and so are one with it.
  public var coalesced: Int
  /// When it was handed to the hardware: set in the posted-interrupt descriptor (kvm_apicv_accept_irq).
  public var posted: UInt64?
  /// When its vCPU, which was halted, went on (kvm_vcpu_wakeup).
  public var wokenUp: UInt64?
  /// When software injected it at VM entry (kvm_inj_virq).
  public var injected: UInt64?
  /// When KVM saw the end of its service (kvm_eoi).
  public var ended: UInt64?
  /// Whether its vCPU stayed in the guest for it; nil where entries and exits do not tell.
  public var stayedInGuest: Bool?
  /// How it got from its local APIC into the guest; nil where nothing tells.
  public var path: DeliveryPath?
  /// Whether the path is concluded from where its vCPU was; otherwise events of this interrupt show it.
  public var isPathConcluded: Bool

  init(_ draft: InterruptDraft, source: InterruptSource?, vcpu: Int, vector: Vector, tellsPresence: Bool) {
    self.vcpu = vcpu
    self.vector = vector
    self.source = source
    accepted = draft.acceptance?.time
    coalesced = draft.coalesced
    posted = draft.posted
    wokenUp = draft.wokenUp
    injected = draft.injected
    ended = draft.ended
    (path, isPathConcluded, stayedInGuest) = draft.way(tellsPresence: tellsPresence)
  }
}

/// What one event says of the vCPUs that a `JourneyTracker` follows.
public struct JourneyStep: Hashable, Sendable {
  /// The index of the vCPU that the event is about: the one that accepts, takes or ends an interrupt, or that enters and
  /// leaves the guest; nil where it is about none that is followed.
  public var vcpu: Int?
  /// What an interrupt came from that is accepted; nil where that was not seen, and for other events.
  public var source: InterruptSource?
  /// Whether an interrupt that is accepted is one with another that waits.
  public var isCoalesced = false

  init(vcpu: Int? = nil) { self.vcpu = vcpu }
}
