import APIC

/// KVM's maps from destinations to local APICs (`kvm_recalculate_apic_map`). What a message answers depends on them: one to
/// nobody is coalesced where a map was asked, ignored where each local APIC was.
struct DestinationMap {
  /// How software has the local APICs' logical IDs: one for all, or the map is not used.
  enum LogicalMode: Equatable { case none, x2APIC, flat, cluster, mixed }

  /// The vCPU with each physical ID; -1 for none.
  var physical = InlineArray<256, Int8>(repeating: -1)
  var logicalMode = LogicalMode.none
  /// The vCPU of each bit of a flat ID, or of each member of each cluster.
  var logical = InlineArray<64, Int8>(repeating: -1)

  private let ignoresAliases: Bool

  /// The map; nil where two local APICs have one ID, and KVM asks each.
  init?(_ apics: [ReferenceLocalAPIC], usesWideIDs: Bool, ignoresAliases: Bool) {
    self.ignoresAliases = ignoresAliases
    for (vcpu, apic) in apics.enumerated() where apic.isPresent {
      let isWide = apic.mode == .x2APIC
      let id = Int(isWide ? apic.id : apic.page[.id] >> 24)
      if usesWideIDs || ignoresAliases {
        if isWide || physical[id] < 0 { physical[id] = Int8(vcpu) }
      } else {
        guard physical[id] < 0 else { return nil }
        physical[id] = Int8(vcpu)
      }
      addLogical(apic, vcpu)
    }
  }

  private mutating func addLogical(_ apic: ReferenceLocalAPIC, _ vcpu: Int) {
    let register = apic.page[.logicalDestination]
    guard logicalMode != .mixed, apic.isSoftwareEnabled, register != 0 else { return }
    let own: LogicalMode =
      apic.mode == .x2APIC ? .x2APIC : apic.page[.destinationFormat] == .max ? .flat : .cluster
    guard logicalMode == .none || logicalMode == own else {
      logicalMode = .mixed
      return
    }
    logicalMode = own
    guard own != .x2APIC else {
      // Logical members are kept in the map of IDs, so an ID that was set puts another into its place.
      let first = Int(register >> 16) * 16
      if ignoresAliases, register & 0xffff != 0, first < 256 {
        physical[first + (register & 0xffff).trailingZeroBitCount] = Int8(vcpu)
      }
      return
    }
    let address = register >> 24
    let members = own == .flat ? address : address & 0xf
    guard members != 0 else { return }
    let bit = members.trailingZeroBitCount + (own == .flat ? 0 : Int(address >> 4) * 4)
    if !ignoresAliases, members.nonzeroBitCount != 1 || logical[bit] >= 0 {
      logicalMode = .mixed
    } else {
      logical[bit] = Int8(vcpu)
    }
  }

  /// The entries that a logical destination names, in order, -1 for those that nobody has; nil where the map is not used.
  func logicalMembers(_ address: UInt32) -> (first: Int, mask: UInt32, isPhysical: Bool)? {
    switch logicalMode {
    case .none: ignoresAliases ? nil : (0, 0, false)
    case .mixed: nil
    case .flat: (0, address & 0xff, false)
    case .cluster: (Int(address >> 4 & 0xf) * 4, address & 0xf, false)
    case .x2APIC: address >> 16 < 16 ? (Int(address >> 16) * 16, address & 0xffff, true) : (0, 0, true)
    }
  }
}
