/// What the interrupts of a scenario cost, from its stimulus to its end: all vCPUs taken together.
public struct DeliveryCost: Hashable, Sendable {
  /// How many interrupts were taken.
  public var interrupts: Int
  /// VM exits; nil where the kernel does not count them.
  public var exits: UInt64?
  /// Interrupts that software injected at VM entry; nil where the kernel does not count them.
  public var injections: UInt64?
  /// Exits for no other reason than that an interrupt could not be injected before; nil where they are not counted.
  public var windowExits: UInt64?
  /// Cycles of the guest's TSC from the stimulus to the first interrupt after it, as its handler saw them; nil where
  /// the guest wrote none down, or where its TSC was set meanwhile.
  public var latency: UInt64?

  /// A cost that was found out somehow.
  public init(interrupts: Int, exits: UInt64?, injections: UInt64?, windowExits: UInt64?, latency: UInt64?) {
    self.interrupts = interrupts
    self.exits = exits
    self.injections = injections
    self.windowExits = windowExits
    self.latency = latency
  }

  /// The cost that vCPUs' counters show.
  init(_ vcpus: [VCPUObservation], latency: UInt64?) {
    func sum(_ name: String) -> UInt64? {
      vcpus.reduce(0) { sum, vcpu in
        guard let sum, let growth = vcpu.counters?[name] else { return nil }
        return sum &+ growth
      }
    }
    self.init(
      interrupts: vcpus.reduce(0) { $0 + $1.interruptsTaken }, exits: sum("exits"), injections: sum("irq_injections"),
      windowExits: sum("irq_window_exits"), latency: latency)
  }
}
