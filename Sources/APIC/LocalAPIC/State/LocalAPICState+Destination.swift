/// Which messages a local APIC takes as its own, the way KVM decides it (`kvm_apic_match_dest` in arch/x86/kvm/lapic.c; SDM
/// volume 3A, sections 12.6.2 and 12.12.10).
extension LocalAPICState {
  /// Whether a message with that destination is for this local APIC.
  ///
  /// - Parameters:
  ///   - destination: Where the message goes.
  ///   - mode: The mode that this local APIC is in; one that is disabled is nobody's destination.
  ///   - id: Its x2APIC ID: the page has it in x2APIC mode alone, and KVM looks at it in xAPIC mode for IDs above 0xff.
  ///   - isInterprocessor: Whether another local APIC sent it, and no device.
  ///   - hasBroadcastQuirk: Whether 0xff from a device reaches local APICs in x2APIC mode too, as it does until
  ///     `KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK` is set (KVM API, section 7.7).
  public func isDestination(
    _ destination: Destination, mode: APICMode, id: UInt32, isInterprocessor: Bool, hasBroadcastQuirk: Bool = true
  ) -> Bool {
    guard mode == .xAPIC || mode == .x2APIC else { return false }
    let isQuirk =
      hasBroadcastQuirk && !isInterprocessor && mode == .x2APIC
      && destination.identifier == Destination.xAPICBroadcast.identifier
    if isQuirk || destination.isBroadcast(in: mode) { return true }
    switch destination {
    case .physical(let identifier):
      return identifier == (mode == .x2APIC || identifier > 0xff ? id : self.id(mode: mode))
    case .logical(let address):
      return isLogicalDestination(address, mode: mode, id: id)
    }
  }

  private func isLogicalDestination(_ address: UInt32, mode: APICMode, id: UInt32) -> Bool {
    if mode == .x2APIC {
      let own = Destination.x2APICLogicalID(of: id)
      return own >> 16 == address >> 16 && own & address & 0xffff != 0
    }
    let own = logicalID(mode: mode)
    return switch destinationFormat {
    case .flat: own & address != 0
    case .cluster: own >> 4 == address >> 4 && own & address & 0xf != 0
    case nil: false
    }
  }
}
