public import APIC

/// One interrupt's way from its source into the guest and to its end, as far as it left a trace.
///
/// What is nil was not seen: a local APIC that is virtualized accepts and ends interrupts without KVM, an irqfd of a line,
/// or the in-kernel PIT, raises its interrupts on a thread of the kernel's own, and not every guest writes down what it
/// takes. Times are nanoseconds since recording began: plain numbers, since there may be very many.
public struct InterruptJourney: Hashable, Sendable {
  /// The index of the vCPU that it was for.
  public let vcpu: Int
  /// Its vector.
  public let vector: Vector
  /// What it came from.
  public var source: InterruptSource?
  /// When its local APIC accepted it (kvm_apic_accept_irq).
  public var accepted: Int64?
  /// How many more of the same vector were accepted before it was delivered, and so are one with it.
  public var coalesced = 0
  /// When it was handed to the hardware: set in the posted-interrupt descriptor (kvm_apicv_accept_irq).
  public var posted: Int64?
  /// When its vCPU, which was halted, went on (kvm_vcpu_wakeup).
  public var wokenUp: Int64?
  /// When software injected it at VM entry (kvm_inj_virq).
  public var injected: Int64?
  /// When the guest's handler wrote it down.
  public var taken: Int64?
  /// When KVM saw the end of its service (kvm_eoi).
  public var ended: Int64?
  /// Whether its vCPU stayed in the guest from its acceptance to its handler, by kvm_entry and kvm_exit; nil where they do
  /// not tell. What was handed to the hardware was posted into the running guest then, or else delivered at a VM entry.
  public var stayedInGuest: Bool?
  /// Why its vCPU left the guest between its acceptance and its handler (kvm_exit); nil where it did not, was outside
  /// already, or nothing tells.
  public var exit: ExitReason?
  /// How it got from its local APIC into the guest; nil where nothing tells.
  public var path: DeliveryPath?
  /// Whether the path is concluded: from a counter that covers more than this interrupt, or, where nobody wrote down when it
  /// was taken, from where its vCPU was. Otherwise events of this interrupt show it.
  public var isPathConcluded = false

  init(vcpu: Int, vector: Vector) {
    self.vcpu = vcpu
    self.vector = vector
  }

  /// The moment that journeys are ordered by: when it was taken, or else the first that was seen of it.
  var moment: Int64? { taken ?? accepted ?? posted ?? injected ?? ended }

  /// The same with times that count from another moment.
  ///
  /// - Parameter nanoseconds: how long that is before the moment that they count from now.
  public func shifted(by nanoseconds: Int64) -> InterruptJourney {
    var journey = self
    for moment in [\InterruptJourney.accepted, \.posted, \.wokenUp, \.injected, \.taken, \.ended] {
      journey[keyPath: moment] = journey[keyPath: moment].map { $0 &+ nanoseconds }
    }
    return journey
  }
}

extension InterruptJourney {
  /// A journey that was followed while its events came.
  ///
  /// - Parameters:
  ///   - tracked: the journey, whose times are the trace's.
  ///   - clock: that of the trace.
  package init(_ tracked: TrackedJourney, _ clock: TraceClock) {
    self.init(vcpu: tracked.vcpu, vector: tracked.vector)
    source = tracked.source
    accepted = tracked.accepted.map(clock.nanoseconds)
    coalesced = tracked.coalesced
    posted = tracked.posted.map(clock.nanoseconds)
    wokenUp = tracked.wokenUp.map(clock.nanoseconds)
    injected = tracked.injected.map(clock.nanoseconds)
    ended = tracked.ended.map(clock.nanoseconds)
    stayedInGuest = tracked.stayedInGuest
    path = tracked.path
    isPathConcluded = tracked.isPathConcluded
  }
}
