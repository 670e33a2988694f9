import APIC
import KVM
import MachineState

extension GSIRoute {
  /// Where it leads, without the GSI.
  var words: String {
    switch self {
    case .irqChip(_, .picMaster, let pin): "PIC line \(pin)"
    case .irqChip(_, .picSlave, let pin): "PIC line \(UInt64(pin) + 8)"
    case .irqChip(_, .ioapic, let pin): "IOAPIC pin \(pin)"
    case .msi(_, let message): "MSI \(message)"
    case .hypervSINT(_, let vcpu, let sint): "Hyper-V SINT \(sint) of vCPU \(vcpu)"
    }
  }

  /// The words of a message, some bits of which mean nothing; nil for other routes.
  var encoding: String? {
    guard case .msi(_, let message) = self else { return nil }
    return "address \(hex(message.address, digits: 8)), data \(hex(message.data, digits: 8))"
  }
}

extension IRQFDState {
  /// What was signalled and not taken, and what else there is to it.
  var words: String {
    [
      pending == 0 ? nil : "\(pending) signalled and not taken",
      resamplePending.map { $0 == 0 ? "resamples" : "resamples, \($0) signalled" },
      isOwnedByVMM ? "the machine's own" : nil, event.map { "event \($0)" },
    ].compactMap { $0 }.joined(separator: ", ")
  }
}

extension IOEventState {
  /// Where the guest writes.
  var place: String {
    switch address {
    case .port(let port): "port \(hex(port))"
    case .mmio(let address): "address \(hex(address))"
    }
  }

  /// Which writes, and what was signalled.
  var words: String {
    [
      length == 0 ? "any length" : Units.count(length, "byte"), match.map { "value \(hex($0)) only" },
      pending == 0 ? nil : "\(pending) signalled", event.map { "event \($0)" },
    ].compactMap { $0 }.joined(separator: ", ")
  }
}

extension MSRFilter {
  /// The ranges, and what happens to others.
  var words: String {
    let ranges = ranges.map { range in
      let access = [range.reads ? "reads" : nil, range.writes ? "writes" : nil].compactMap { $0 }
      let allowed = range.allows.enumerated().filter(\.element).map { UInt64(range.base) + UInt64($0.offset) }
      return "\(Units.count(range.allows.count, "MSR")) from \(hex(range.base)), \(access.joined(separator: " and ")), "
        + "KVM handles \(allowed.isEmpty ? "none" : allowed.map { hex($0) }.joined(separator: " "))"
    }
    return (ranges + ["others \(allowsOthers ? "allowed" : "refused")"]).joined(separator: "; ")
  }
}
