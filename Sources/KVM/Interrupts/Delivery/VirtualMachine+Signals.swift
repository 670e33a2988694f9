public import APIC
import CKVM
import SystemPackage

extension VirtualMachine {
  /// Sets the level of a GSI's line (KVM_IRQ_LINE).
  ///
  /// Rising interrupts an edge-triggered pin, high a level-triggered one.
  ///
  /// - Throws: `KVMError` with ENXIO without an in-kernel interrupt controller.
  public func setLine(_ gsi: UInt32, _ level: Bool) throws(KVMError) {
    try attempt(.irqLine, ckvm_irq_line(descriptor.rawValue, gsi, level ? 1 : 0), detail: "GSI \(gsi)")
  }

  /// Sets the level of a GSI's line and says what became of it (KVM_IRQ_LINE_STATUS).
  ///
  /// - Throws: `KVMError` with ENXIO without an in-kernel interrupt controller.
  @discardableResult
  public func setLineStatus(_ gsi: UInt32, _ level: Bool) throws(KVMError) -> LineStatus {
    var status: Int32 = 0
    // Sound: the shim writes the one integer it is given.
    let answer = unsafe ckvm_irq_line_status(descriptor.rawValue, gsi, level ? 1 : 0, &status)
    try attempt(.irqLineStatus, answer, detail: "GSI \(gsi)")
    return LineStatus(status)
  }

  /// Sends a message-signalled interrupt, without a route (KVM_SIGNAL_MSI).
  ///
  /// - Throws: `KVMError`: EINVAL without in-kernel local APICs, EPERM for high bits of the address that cannot be.
  @discardableResult
  public func signal(_ message: MSIMessage) throws(KVMError) -> MSIAnswer {
    if case .delivered = try send(message) { .delivered } else { .blocked }
  }

  /// Sends a message-signalled interrupt, and answers as KVM does for a line (KVM_SIGNAL_MSI).
  ///
  /// - Returns: `delivered` with the number of local APICs that took it, `coalesced` where those of the destination are
  ///   disabled or there are none, `ignored` where KVM found none by looking at each.
  /// - Throws: `KVMError`: EINVAL without in-kernel local APICs, EPERM for high bits of the address that cannot be.
  public func send(_ message: MSIMessage) throws(KVMError) -> LineStatus {
    let answer = ckvm_signal_msi(descriptor.rawValue, message.address, message.data)
    // KVM answers -1, which ioctl makes EPERM, for a message that cannot be and, on its slow path, for one to nobody
    // (kvm_set_msi, kvm_irq_delivery_to_apic). Only high bits can make a message impossible.
    if Errno(rawValue: -answer) == .notPermitted, message.address >> 32 == 0 { return .ignored }
    return LineStatus(try attempt(.signalMSI, answer))
  }
}

/// What became of a change of a line (KVM API, KVM_IRQ_LINE_STATUS).
public enum LineStatus: Hashable, Sendable {
  /// It reached that many destinations; a line that falls counts as taken by its pins.
  case delivered(UInt32)

  /// The interrupt was pending already, so the guest sees one for both.
  case coalesced

  /// The pin is masked, or no route leads to one.
  case ignored

  init(_ status: Int32) {
    self = status > 0 ? .delivered(UInt32(status)) : status == 0 ? .coalesced : .ignored
  }
}

/// What became of an MSI (KVM API, KVM_SIGNAL_MSI).
public enum MSIAnswer: Hashable, Sendable {
  /// At least one local APIC accepted it.
  case delivered

  /// None did: no such destination, or its APIC is off.
  case blocked
}
