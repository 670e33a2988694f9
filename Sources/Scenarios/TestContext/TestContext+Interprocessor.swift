public import APIC
public import KVM
import VMM

extension TestContext {
  /// The vectors that a vCPU has recorded since the log was last looked at, in the order in which it took them. The
  /// records of the other vCPUs are passed over.
  public func interrupts(on vcpu: Int) throws -> [Vector] {
    // An interrupt is counted before its record is complete; an answer of the vCPU comes behind both.
    _ = try self[vcpu: vcpu].readTSC()
    return machine.log.next().compactMap { record in
      guard record.vcpu == vcpu, case .interrupt(let vector, _) = record.event else { return nil }
      return vector
    }
  }

  /// The figures of that name that a vCPU has noted since the log was last looked at. All other records are passed over.
  public func figures(named name: String, on vcpu: Int) throws -> [UInt64] {
    _ = try self[vcpu: vcpu].readTSC()
    return machine.log.next().compactMap { record in
      guard record.vcpu == vcpu, case .value(name, let value) = record.event else { return nil }
      return value
    }
  }

  /// How often all vCPUs together have recorded `vector`.
  public func recorded(_ vector: Vector) -> Int {
    machine.vcpus.indices.reduce(0) { $0 + machine.recorded(vector, on: $1) }
  }

  /// What KVM says that a vCPU is doing (KVM_GET_MP_STATE).
  public func mpState(of vcpu: Int) throws -> MPState {
    try machine.withVCPUStopped(vcpu) { (vcpu) throws(KVMError) in try vcpu.mpState() }
  }

  /// Waits until the agent of a vCPU has started so many times in all.
  public func untilStarted(_ vcpu: Int, times: UInt32) throws {
    let name = "the agent has started \(times) times on vCPU \(vcpu)"
    try until(name) { try self[vcpu: vcpu].starts() >= times }
    try check("starts of the agent on vCPU \(vcpu)", try self[vcpu: vcpu].starts(), equals: times)
  }

  /// Waits until KVM has reset a vCPU that was sent an INIT, and holds it until a start-up IPI.
  public func untilReset(_ vcpu: Int) throws {
    try until("vCPU \(vcpu) waits for a start-up IPI") { try mpState(of: vcpu) == .initReceived }
  }
}

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
