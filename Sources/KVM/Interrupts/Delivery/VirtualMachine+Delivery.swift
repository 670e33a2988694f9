public import APIC
import CKVM
import Synchronization
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

extension VirtualMachine {
  /// Makes writes to an event raise a GSI, without a system call to KVM (KVM_IRQFD).
  ///
  /// The machine keeps both events open until the irqfd is deassigned.
  ///
  /// - Parameters:
  ///   - event: what devices write to. KVM raises and lowers the line at once for each write, or, with `resample`, leaves
  ///     it high.
  ///   - gsi: set its route first.
  ///   - resample: for level-triggered interrupts: KVM lowers the line at EOI and signals this event, whereupon the device
  ///     writes again if it still wants service.
  /// - Throws: `KVMError`: EBUSY when the event is assigned, EINVAL without an in-kernel interrupt controller.
  public func assignIRQFD(_ event: EventDescriptor, gsi: UInt32, resample: EventDescriptor? = nil) throws(KVMError) {
    let flags = resample == nil ? 0 : UInt32(KVM_IRQFD_FLAG_RESAMPLE)
    let answer = ckvm_irqfd(
      descriptor.rawValue, event.rawDescriptor, gsi, flags, resample?.rawDescriptor ?? 0)
    try attempt(.irqFD, answer, detail: "GSI \(gsi)")
    assignedIRQFDs.withLock { $0.append(IRQFD(event: event, resample: resample, gsi: gsi)) }
  }

  /// Ends that; when it returns, no write before it is still to take effect (KVM_IRQFD_FLAG_DEASSIGN).
  ///
  /// - Throws: `KVMError`; an event that was not assigned is no error.
  public func deassignIRQFD(_ event: EventDescriptor, gsi: UInt32) throws(KVMError) {
    let answer = ckvm_irqfd(descriptor.rawValue, event.rawDescriptor, gsi, UInt32(KVM_IRQFD_FLAG_DEASSIGN), 0)
    try attempt(.irqFD, answer, detail: "GSI \(gsi), deassign")
    assignedIRQFDs.withLock { $0.removeAll { $0.event === event && $0.gsi == gsi } }
  }
}

/// Where a guest writes to signal an event (KVM API, KVM_IOEVENTFD).
public enum IOEventAddress: Hashable, Sendable {
  /// An I/O port.
  case port(UInt16)

  /// A guest-physical address outside every memory slot.
  case mmio(UInt64)
}

extension VirtualMachine {
  /// Makes guest writes signal an event and go on, instead of leaving to user space (KVM_IOEVENTFD).
  ///
  /// - Parameters:
  ///   - event: what is signalled.
  ///   - address: where the guest writes.
  ///   - length: of the write, 1, 2, 4 or 8 bytes; 0 for any, without `match`.
  ///   - match: the only value that signals; nil for any.
  /// - Throws: `KVMError`: EEXIST when that is assigned, EINVAL for a length that cannot be, ENOSPC.
  public func assignIOEvent(
    _ event: EventDescriptor, at address: IOEventAddress, length: UInt32 = 0, match: UInt64? = nil
  ) throws(KVMError) {
    try ioEvent(event, address, length, match, flags: 0)
    assignedIOEvents.withLock { $0.append(IOEvent(event: event, address: address, length: length, match: match)) }
  }

  /// Ends that; the arguments are those it was assigned with.
  ///
  /// - Throws: `KVMError` with ENOENT when nothing like it is assigned.
  public func deassignIOEvent(
    _ event: EventDescriptor, at address: IOEventAddress, length: UInt32 = 0, match: UInt64? = nil
  ) throws(KVMError) {
    try ioEvent(event, address, length, match, flags: 1 << kvm_ioeventfd_flag_nr_deassign)
    assignedIOEvents.withLock { events in
      events.removeAll {
        $0.event === event && $0.address == address && $0.length == length && $0.match == match
      }
    }
  }

  private func ioEvent(
    _ event: EventDescriptor, _ address: IOEventAddress, _ length: UInt32, _ match: UInt64?, flags: UInt32
  ) throws(KVMError) {
    var flags = flags
    if match != nil { flags |= 1 << kvm_ioeventfd_flag_nr_datamatch }
    let place: UInt64
    switch address {
    case .mmio(let address): place = address
    case .port(let port):
      place = UInt64(port)
      flags |= 1 << kvm_ioeventfd_flag_nr_pio
    }
    let answer = ckvm_ioeventfd(descriptor.rawValue, event.rawDescriptor, place, length, match ?? 0, flags)
    try attempt(.ioEventFD, answer, detail: "\(hex(place)), length \(length)")
  }
}

/// An event that raises a GSI (KVM_IRQFD), as it was assigned.
public struct IRQFD: Sendable {
  /// What devices write to.
  public var event: EventDescriptor
  /// What KVM writes to at EOI, for a level-triggered interrupt.
  public var resample: EventDescriptor?
  /// The interrupt.
  public var gsi: UInt32

  /// An irqfd.
  public init(event: EventDescriptor, resample: EventDescriptor? = nil, gsi: UInt32) {
    self.event = event
    self.resample = resample
    self.gsi = gsi
  }
}

/// An event that guest writes signal (KVM_IOEVENTFD), as it was assigned.
public struct IOEvent: Sendable {
  /// What is signalled.
  public var event: EventDescriptor
  /// Where the guest writes.
  public var address: IOEventAddress
  /// The length of the write in bytes; 0 for any.
  public var length: UInt32
  /// The only value that signals; nil for any.
  public var match: UInt64?
}
