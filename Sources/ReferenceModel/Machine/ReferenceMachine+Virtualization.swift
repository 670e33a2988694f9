import APIC

/// Where the processor does a part of the local APICs.
extension ReferenceMachine {
  /// Who is reached by which destination has changed: an ID that is not its vCPU's keeps APICv off as long as it is there
  /// (`kvm_recalculate_apic_map`). vCPUs learn of it at their next entry.
  mutating func noticeIdentifiers() {
    guard configuration.deviations.contains(.virtualizationInhibitedByIdentifier),
      !configuration.deviations.contains(.inhibitionKept)
    else { return }
    isVirtualizationInhibited = localAPICs.contains { $0.hasForeignIdentifier }
  }

  /// The ID register of a vCPU's local APIC was written, alone or with the others: older kernels look at it then, and at no
  /// change of mode (`kvm_lapic_xapic_id_updated`).
  mutating func noticeIdentifier(_ vcpu: Int) {
    guard configuration.deviations.contains(.inhibitionKept), localAPICs[vcpu].hasForeignIdentifier else { return }
    isVirtualizationInhibited = true
  }

  /// A vCPU enters with what is known of its TPR: KVM sets the threshold anew where it looks for interrupts, unless software
  /// has disabled the local APIC.
  ///
  /// - Parameters:
  ///   - vcpu: its index.
  ///   - hasEvent: whether KVM looks for interrupts at this entry.
  public mutating func setThreshold(_ vcpu: Int, hasEvent: Bool) {
    guard hasEvent, localAPICs[vcpu].isPresent, localAPICs[vcpu].isSoftwareEnabled else { return }
    localAPICs[vcpu].updateThreshold()
  }

  /// Whether the processor refuses to enter the guest (KVM_EXIT_FAIL_ENTRY, hardware reason 7).
  public mutating func isEntryRefused(_ vcpu: Int) -> Bool {
    guard localAPICs[vcpu].isEntryRefused else { return false }
    met.insert(.entryRefused)
    return true
  }
}
