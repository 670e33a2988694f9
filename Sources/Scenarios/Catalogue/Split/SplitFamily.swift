import KVM
import VMM

extension Scenario {
  /// The split irqchip.
  static let splitIRQChips: [Scenario] =
    [
      splitEOIElsewhere, splitMessages, splitPinIRQFD, splitRefusals, splitUserPIC, splitDirectedEOI,
      splitBroadcastEOI,
    ] + ioapic.map(\.onSplitIRQChip)

  /// Leaves only the local APICs in the kernel.
  static func useSplitIRQChip(_ configuration: inout MachineConfiguration) { configuration.irqChip = .split }

  /// The same scenario, with the same expectations, on an IOAPIC in user space: `split.ioapic.edge` for `lines.ioapic.edge`.
  private var onSplitIRQChip: Scenario { onSplitIRQChip(as: "split" + id.drop { $0 != "." }) }

  /// The same scenario there under another name.
  func onSplitIRQChip(as id: String) -> Scenario {
    let made = configuration
    return Scenario(
      id, title + ", split", modes: modes, vcpus: made.vcpus,
      preparation: preparation, exercises: ["KVM_CAP_SPLIT_IRQCHIP", "kvm_send_userspace_msi"] + levelCalls,
      needs: needs + [.feature(.splitIRQChip)], path: path, sabotage: sabotage, hooks: hooks,
      configure: { configuration in
        configuration = made
        configuration.irqChip = .split
      }, body: body)
  }

  /// What KVM does besides for a level-triggered pin that is not its own.
  private var levelCalls: [String] {
    exercises.contains { $0.contains("_eoi") }
      ? ["kvm_ioapic_send_eoi", "vcpu_scan_ioapic", "kvm_scan_ioapic_routes", "KVM_EXIT_IOAPIC_EOI"] : []
  }
}
