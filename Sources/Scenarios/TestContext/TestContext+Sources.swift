public import APIC
public import KVM
import SystemPackage
import VMM

/// What comes from outside of the vCPUs.
extension TestContext {
  /// The virtual machine, for calls that nothing here has a word for.
  public var vm: VirtualMachine { machine.vm }

  /// Sends a message-signalled interrupt (KVM_SIGNAL_MSI).
  @discardableResult
  public func signal(_ message: MSIMessage) throws -> MSIAnswer {
    try withPathCut { try machine.interrupts.signal(message) }
  }

  /// Sets the level of a line (KVM_IRQ_LINE_STATUS).
  @discardableResult
  public func setLine(_ gsi: UInt32, to level: Bool) throws -> LineStatus {
    try withPathCut { try machine.interrupts.setLine(gsi, to: level) }
  }

  /// Writes a redirection entry of the IOAPIC as a guest does, on the bootstrap processor.
  public func setRedirection(pin: Int, _ entry: RedirectionEntry) throws {
    for (register, value) in [
      (IOAPICRegister.redirectionLow(pin: pin), RedirectionEntry.masked.low),
      (IOAPICRegister.redirectionHigh(pin: pin), entry.high), (IOAPICRegister.redirectionLow(pin: pin), entry.low),
    ] {
      try self[vcpu: 0].writeMemory(IOAPIC.defaultAddress + IOAPIC.registerSelectOffset, UInt32(register.rawValue))
      try self[vcpu: 0].writeMemory(IOAPIC.defaultAddress + IOAPIC.windowOffset, value)
    }
  }

  /// Reads a redirection entry of the IOAPIC as a guest does, on the bootstrap processor.
  public func redirection(pin: Int) throws -> RedirectionEntry {
    func read(_ register: IOAPICRegister) throws -> UInt32 {
      try self[vcpu: 0].writeMemory(IOAPIC.defaultAddress + IOAPIC.registerSelectOffset, UInt32(register.rawValue))
      return try self[vcpu: 0].readMemory(IOAPIC.defaultAddress + IOAPIC.windowOffset)
    }
    return RedirectionEntry(
      low: try read(.redirectionLow(pin: pin)), high: try read(.redirectionHigh(pin: pin)))
  }

  /// A vCPU's local APIC, as KVM_GET_LAPIC gives it: the vCPU is taken out of the guest for a moment.
  public func localAPICState(of vcpu: Int) throws -> LocalAPICState {
    try machine.withVCPUStopped(vcpu) { (vcpu) throws(KVMError) in try vcpu.localAPIC() }
  }
}

extension TestContext {
  /// Expects KVM to refuse a call with this errno. The call is the stimulus.
  func expectRefusal(_ what: String, _ errno: Errno, _ call: () throws(KVMError) -> Void) throws {
    var answer: Errno?
    try stimulus {
      do throws(KVMError) {
        try call()
      } catch {
        answer = error.errno
      }
    }
    try check("KVM refuses \(what)", answer == errno, saw: answer.map { "\($0)" } ?? "no refusal")
  }
}

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
