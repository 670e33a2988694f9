import CKVM
import Synchronization
import SystemPackage

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
