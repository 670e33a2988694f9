import APIC

extension Stage {
  /// Gives vCPU n, of at most 8, the logical id 1 << n: in xAPIC mode by LDR and DFR, in x2APIC mode by itself.
  public func setFlatLogicalIDs() throws {
    guard mode == .xAPIC else { return }
    for vcpu in vcpus {
      try vcpu.write(.destinationFormat, DestinationFormat.flat.registerValue)
      try vcpu.write(.logicalDestination, 1 << UInt32(24 + vcpu.index))
    }
  }
}
