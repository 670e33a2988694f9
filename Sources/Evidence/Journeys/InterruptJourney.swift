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
  /// Why its vCPU had left the guest before, where it was outside at its acceptance (kvm_exit); nil otherwise, and where
  /// nothing tells.
  public var exitBefore: ExitReason?
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

/// What an interrupt came from, as far as KVM's tracepoints say.
public enum InterruptSource: Hashable, Sendable {
  /// An interrupt command register (kvm_apic_ipi): that of the vCPU with this index, where its thread is known. One whose
  /// processor carried the command out (IPI virtualization) is known by what the vCPU was told to do.
  case ipi(vcpu: Int?)
  /// A message: KVM_SIGNAL_MSI, or an irqfd by way of a route (kvm_msi_set_irq).
  case message
  /// A line that was raised, by its GSI (kvm_set_irq).
  case line(gsi: UInt32)
  /// A level-triggered line into this pin of the in-kernel IOAPIC, which was still high at the EOI of the interrupt before
  /// (kvm_ack_irq).
  case heldLine(pin: Int)
  /// The local APIC itself, which is concluded: nothing else was seen on the vCPU's own thread. Its timer, or another entry of
  /// the local vector table: the one that has this vector, where one had it in the end.
  case localAPIC(LocalVector?)
}

extension InterruptSource {
  /// What an interrupt came from that a local APIC accepted; nil where nothing tells. What nothing raised there is the local
  /// APIC's own, where it is that of the thread's vCPU.
  ///
  /// - Parameters:
  ///   - origin: what raised it on the thread on which it was accepted.
  ///   - runner: the index of the vCPU that this thread runs; nil where it runs none.
  ///   - vcpu: that of the vCPU that it was for.
  ///   - localVector: the entry of its local vector table that has the interrupt's vector.
  init?(_ origin: Acceptance.Origin, on runner: Int?, for vcpu: Int, localVector: LocalVector?) {
    switch origin {
    case .ipi: self = .ipi(vcpu: runner)
    case .message: self = .message
    case .line(let gsi): self = .line(gsi: gsi)
    case .heldLine(let pin): self = .heldLine(pin: Int(pin))
    case .unseen:
      guard runner == vcpu else { return nil }
      self = .localAPIC(localVector)
    }
  }
}

/// What raises interrupts on a thread at the moment, until something else happens there.
///
/// KVM accepts an interrupt on the thread that raises it, right after the event that tells what it came from.
struct RaisingEvent {
  private var origin = Acceptance.Origin.unseen
  /// The vector that it raises; nil for whichever a line leads to.
  private var vector: Vector?

  /// Takes note of the thread's next event.
  mutating func note(_ detail: TraceEvent.Detail) {
    switch detail {
    case .ipi(let vector): (origin, self.vector) = (.ipi, vector)
    case .message(let vector): (origin, self.vector) = (.message, vector)
    case .line(let gsi, isHigh: true): (origin, vector) = (.line(gsi: gsi), nil)
    case .acknowledged(let pin): (origin, vector) = (.heldLine(pin: pin), nil)
    case .line(_, isHigh: false), .ioapic, .injected(_, isReinjected: false), .endOfInterrupt(_, _?), .wokenUp:
      (origin, vector) = (.unseen, nil)
    case .accepted, .acceptedByHardware, .injected, .endOfInterrupt, .inhibit, .entered, .exited, .accessed: break
    }
  }

  /// What an interrupt of a vector came from that is accepted there now.
  func origin(of vector: Vector) -> Acceptance.Origin {
    self.vector == nil || self.vector == vector ? origin : .unseen
  }
}

/// An interrupt as the guest's handler wrote it down.
public struct InterruptTaken: Hashable, Sendable {
  /// The index of the vCPU that took it.
  public var vcpu: Int
  /// Its vector.
  public var vector: Vector
  /// What the guest's TSC was when the handler wrote it down.
  public var tsc: UInt64

  /// An interrupt that was taken then.
  public init(vcpu: Int, vector: Vector, tsc: UInt64) {
    self.vcpu = vcpu
    self.vector = vector
    self.tsc = tsc
  }
}
