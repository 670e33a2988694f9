public import KVM

/// How much a vCPU's statistics grew (KVM API, KVM_GET_STATS_FD).
public struct CounterEvidence: Hashable, Sendable {
  /// The growth of each count that this kernel keeps, by its name.
  public let growth: [String: UInt64]

  /// Growth that was found out somehow.
  public init(growth: [String: UInt64]) {
    self.growth = growth
  }

  /// The growth between two readings. States, peaks and histograms are left out: they are no counts.
  ///
  /// - Parameters:
  ///   - before: the earlier reading.
  ///   - after: the later one, of the same vCPU.
  public init(before: Statistics, after: Statistics) {
    let delta = after.delta(since: before)
    var growth: [String: UInt64] = [:]
    for descriptor in after.descriptors where descriptor.kind == .cumulative && before[descriptor.name] != nil {
      growth[descriptor.name] = delta[descriptor.name]
    }
    self.growth = growth
  }

  /// This growth and that on another machine, of the counts that both keep.
  func adding(_ other: CounterEvidence) -> CounterEvidence {
    var sum: [String: UInt64] = [:]
    for (name, growth) in growth { sum[name] = other[name].map { growth &+ $0 } }
    return CounterEvidence(growth: sum)
  }

  /// How much a count grew; nil, never 0, where this kernel does not keep it.
  public subscript(name: String) -> UInt64? { growth[name] }

  /// Interrupts that software injected at VM entry; with virtual-interrupt delivery it stays still.
  public var injections: UInt64? { self["irq_injections"] }

  /// How often the vCPU was woken from HLT.
  public var wakeups: UInt64? { self["halt_wakeup"] }
}
