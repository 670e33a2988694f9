public import APIC

/// Logical destinations.
extension TestContext {
  /// Gives the first eight vCPUs a logical id each: in xAPIC mode bit n of the flat model to vCPU n. In x2APIC mode the
  /// hardware has done so.
  public func setFlatLogicalIDs() throws {
    guard mode != .x2APIC else { return }
    for vcpu in vcpus.prefix(8) {
      try vcpu.write(.destinationFormat, DestinationFormat.flat.registerValue)
      try vcpu.write(.logicalDestination, 1 << (24 + UInt32(vcpu.index)))
    }
  }

  /// The logical destination of some of the first eight vCPUs, whose APIC ids are their indices.
  public func logicalDestination(of members: Int...) -> Destination {
    let bits = members.reduce(UInt8(0)) { $0 | 1 << UInt8($1) }
    return mode == .x2APIC ? .x2APICCluster(cluster: 0, members: UInt16(bits)) : .xAPICFlat(members: bits)
  }
}
