public import APIC

/// What was seen of a vCPU between a stimulus and the end of its scenario.
public struct VCPUObservation: Hashable, Sendable {
  /// The vCPU's index.
  public let index: Int
  /// KVM's id of it, which is its APIC id after reset.
  public let id: UInt32
  /// How much its statistics grew; nil where they could not be read.
  public let counters: CounterEvidence?
  /// How often the guest took each vector; those that it did not take are left out.
  public let taken: [Vector: Int]
  /// Interrupts that it took which say nothing of their own, such as those that only show that nothing else came. The
  /// counters have them.
  public let unshown: Int

  /// Where it was while the interrupts of each vector were delivered; nil where that was not recorded, or not wholly.
  public let residency: [Vector: DeliveryResidency]?

  /// An observation.
  public init(
    index: Int, id: UInt32, counters: CounterEvidence?, taken: [Vector: Int], unshown: Int = 0,
    residency: [Vector: DeliveryResidency]? = nil
  ) {
    self.unshown = unshown
    self.residency = residency
    self.index = index
    self.id = id
    self.counters = counters
    self.taken = taken.filter { $0.value > 0 }
  }

  /// How many interrupts of local APICs it took. Lower vectors are exceptions and NMIs, which no local APIC delivers as
  /// interrupts (SDM volume 3A, section 12.5.2).
  public var interruptsTaken: Int { interrupts.reduce(unshown) { $0 + $1.value } }

  /// Those interrupts, by vector.
  var interrupts: [Vector: Int] { taken.filter { $0.key.rawValue >= 16 } }
}
