import APIC

/// A machine that is compared with others in all that decides what it does next, what nobody sees included; of the rules that
/// it has met it takes no notice.
public struct MachineIdentity: Hashable, Sendable {
  /// The machine.
  public var machine: ReferenceMachine

  /// A machine.
  public init(_ machine: ReferenceMachine) { self.machine = machine }

  /// Whether two machines do the same from here on. Their maps of destinations are not looked at: calls that are put into
  /// different orders change none.
  public static func == (left: MachineIdentity, right: MachineIdentity) -> Bool {
    let (left, right) = (left.machine, right.machine)
    guard left.isIOAPICHeld == right.isIOAPICHeld, left.lastPICOutput == right.lastPICOutput,
      left.isVirtualizationInhibited == right.isVirtualizationInhibited, left.ioapic == right.ioapic,
      left.ioapic.hasSameRest(as: right.ioapic), left.pic == right.pic, left.routes == right.routes,
      left.localAPICs.count == right.localAPICs.count
    else { return false }
    for vcpu in left.localAPICs.indices where !left.localAPICs[vcpu].isSame(as: right.localAPICs[vcpu]) {
      return false
    }
    return true
  }

  /// Feeds what concurrent calls change most to the hasher.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(machine.ioapic.requests)
    hasher.combine(machine.ioapic.sentEdges)
    hasher.combine(machine.isIOAPICHeld)
    hasher.combine(machine.pic.master.irr)
    hasher.combine(machine.pic.slave.irr)
    for apic in machine.localAPICs {
      hasher.combine(apic.processor)
      for set in [0x100, 0x180, 0x200] {
        for word in 0..<8 { hasher.combine(apic.page.registers[set / 4 + word * 4]) }
      }
    }
  }
}

extension ReferenceIOAPIC {
  /// What equality, which is of what can be seen, does not look at.
  fileprivate func hasSameRest(as other: ReferenceIOAPIC) -> Bool {
    guard sentEdges == other.sentEdges, clockPending == other.clockPending, clockHolders == other.clockHolders else {
      return false
    }
    for pin in sources.indices where sources[pin] != other.sources[pin] { return false }
    for vcpu in clockVectors.indices where clockVectors[vcpu] != other.clockVectors[vcpu] { return false }
    return true
  }
}

extension ReferenceLocalAPIC {
  fileprivate func isSame(as other: ReferenceLocalAPIC) -> Bool {
    processor == other.processor && page == other.page && base == other.base && timer == other.timer
      && service == other.service && broadcastVectors == other.broadcastVectors
      && virtualization == other.virtualization
  }
}
