public import APIC
public import Evidence

/// The interrupts of one vector on one vCPU in an interval.
public struct InterruptCount: Hashable, Sendable {
  /// KVM's id of the vCPU.
  public var vcpu: UInt32
  /// The vector.
  public var vector: Vector
  /// How often its local APIC accepted it (kvm_apic_accept_irq).
  public var accepted: UInt64 = 0
  /// How many of those were one with another that waited.
  public var coalesced: UInt64 = 0
  /// How often it was handed to the hardware (kvm_apicv_accept_irq).
  public var posted: UInt64 = 0
  /// How often software injected it (kvm_inj_virq).
  public var injected: UInt64 = 0
  /// How often software injected it anew after an exit in the middle of its delivery.
  public var reinjected: UInt64 = 0
  /// How often KVM saw the end of its service (kvm_eoi).
  public var ended: UInt64 = 0
  /// What those that were accepted came from.
  public var sources: [Source] = []
  /// How those got into the guest that were over in the interval.
  public var ways = Ways()
  /// From acceptance to injection.
  public var injection: LatencyCount?
  /// From acceptance to the vCPU's going on after HLT.
  public var wakeUp: LatencyCount?

  /// How many came from somewhere.
  public struct Source: Hashable, Sendable {
    /// From what; nil for what was not seen. A vCPU in it is told by KVM's id of it, not by its index. An IPI of none is one
    /// that another thread wrote, or of one of more senders than are told apart.
    public var source: InterruptSource?
    /// How many.
    public var count: UInt64
  }

  /// How many got into the guest in which way.
  public struct Ways: Hashable, Sendable {
    /// Software injected them.
    public var software: UInt64 = 0
    /// The processor delivered them from the virtual-APIC page.
    public var virtualDelivery: UInt64 = 0
    /// They were posted into the running guest.
    public var posted: UInt64 = 0
    /// They were delivered, since they have ended, and nothing tells how.
    public var ended: UInt64 = 0
    /// Nothing tells whether they were delivered.
    public var unknown: UInt64 = 0

    /// Counts one more.
    mutating func add(_ path: DeliveryPath?, hasEnded: Bool) {
      switch path {
      case .software: software += 1
      case .virtualDelivery: virtualDelivery += 1
      case .posted: posted += 1
      case nil: if hasEnded { ended += 1 } else { unknown += 1 }
      }
    }
  }

  init(vcpu: UInt32, vector: Vector) {
    self.vcpu = vcpu
    self.vector = vector
  }

  /// Whether nothing was counted.
  var isEmpty: Bool { accepted + posted + injected + reinjected + ended == 0 && ways == Ways() }

  /// How many sources are told apart, but for the rest: an IPI of no vCPU, or what was not seen.
  private static let sourceLimit = 32

  mutating func add(_ source: InterruptSource?) {
    let rest: InterruptSource? = if case .ipi = source { .ipi(vcpu: nil) } else { nil }
    if let index = sources.firstIndex(where: { $0.source == source }) {
      sources[index].count += 1
    } else if sources.count < Self.sourceLimit || source == rest {
      sources.append(Source(source: source, count: 1))
    } else {
      add(rest)
    }
  }
}
