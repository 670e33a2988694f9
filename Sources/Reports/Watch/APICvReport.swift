import Evidence
import KVM
import Watch

/// Whether a machine uses APICv, or AVIC, and what keeps it from that.
public struct APICvReport: Codable, Sendable {
  /// `active`, `inhibited`, `unavailable` where the host has none, or `unknown`.
  public var state: State
  /// What that rests on, in words.
  public var basis: String
  /// What holds, where the kernel told while the machine was watched; absent where it did not.
  public var inForce: [Inhibit]?
  /// What was set and taken back in the interval, no more than a few.
  public var changes: [Change]
  /// How many changes there were.
  public var changeCount: UInt64

  /// Whether a machine uses APICv.
  public enum State: String, Codable, Sendable {
    /// It does.
    case active
    /// The host could, but something keeps this machine from it.
    case inhibited
    /// This host has none, or it is switched off.
    case unavailable
    /// Nothing tells.
    case unknown
  }

  /// Something that keeps a machine from APICv.
  public struct Inhibit: Codable, Hashable, Sendable {
    /// The kernel's number of it, which differs from kernel to kernel.
    public var number: Int
    /// Its name without `APICV_INHIBIT_REASON_`; absent where the number means nothing here.
    public var name: String?
    /// What usually causes it.
    public var cause: String?
    /// What to do about it.
    public var remedy: String?

    init(_ number: Int, _ names: InhibitNames) {
      self.number = number
      name = names[number]
      let known = name.flatMap { InhibitReason.known($0) }
      (cause, remedy) = (known?.cause, known?.remedy)
    }
  }

  /// An inhibit that was set or taken back.
  public struct Change: Codable, Sendable {
    /// When, in nanoseconds since watching began.
    public var time: Int64
    /// Whether it was set.
    public var isSet: Bool
    /// What.
    public var inhibit: Inhibit
  }
}

extension APICvReport {
  init(_ interval: WatchInterval, _ context: WatchReport.Context) {
    let names = context.inhibitNames
    let bits = interval.inhibits.inForce
    inForce = bits.map { bits in (0..<64).filter { bits >> UInt64($0) & 1 != 0 }.map { Inhibit($0, names) } }
    changes = interval.inhibits.changes.map {
      Change(time: $0.time, isSet: $0.isSet, inhibit: Inhibit($0.reason, names))
    }
    changeCount = interval.inhibits.changeCount
    let posted = interval.interrupts.reduce(0) { $0 + $1.posted }
    let injected = interval.interrupts.reduce(0) { $0 + $1.injected }
    if let inForce, !inForce.isEmpty {
      (state, basis) = (.inhibited, "kvm_apicv_inhibit_changed")
    } else if context.apicv.isAvailable == false {
      (state, basis) = (.unavailable, context.apicv.evidence)
    } else if posted > 0 {
      (state, basis) = (.active, "interrupts go to the hardware (kvm_apicv_accept_irq)")
    } else if inForce != nil {
      (state, basis) = (.active, "nothing inhibits it any more (kvm_apicv_inhibit_changed)")
    } else if interval.machine.hasKernelLocalAPIC == false {
      (state, basis) = (.inhibited, "its local APICs are not the kernel's: ABSENT")
      if let absent = (0..<16).first(where: { names[$0] == "ABSENT" }) { inForce = [Inhibit(absent, names)] }
    } else if injected > 0, context.apicv.isAvailable == true {
      (state, basis) = (
        .inhibited, "this host has it, but software injects; what inhibits it was set before the machine was watched"
      )
    } else {
      (state, basis) = (.unknown, "no interrupt has told yet")
    }
  }
}
