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
