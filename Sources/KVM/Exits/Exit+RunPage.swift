import APIC
import CKVM

// Sound throughout: the caller holds the page, so the kernel does not write it, and the accessors stay inside it.
extension Exit {
  /// Reads what KVM_RUN left in the page.
  ///
  /// The frequent exits come first and allocate nothing.
  init(_ page: borrowing RunPage) {
    let reason = unsafe page.run.pointee.exit_reason
    switch Int32(bitPattern: reason) {
    case KVM_EXIT_IO: self = .io(PortAccess(page))
    case KVM_EXIT_MMIO: self = .mmio(MMIOAccess(unsafe ckvm_run_mmio(page.run)))
    case KVM_EXIT_HLT: self = .halt
    case KVM_EXIT_IRQ_WINDOW_OPEN: self = .irqWindowOpen
    case KVM_EXIT_INTR: self = .interrupted
    case KVM_EXIT_IOAPIC_EOI: self = .ioapicEOI(Vector(rawValue: unsafe ckvm_run_eoi_vector(page.run)))
    case KVM_EXIT_TPR_ACCESS: self = .tprAccess(TPRAccess(unsafe ckvm_run_tpr_access(page.run)))
    case KVM_EXIT_SET_TPR: self = .setTPR
    case KVM_EXIT_X86_RDMSR: self = .readMSR(MSRAccess(unsafe ckvm_run_msr(page.run), isWrite: false))
    case KVM_EXIT_X86_WRMSR: self = .writeMSR(MSRAccess(unsafe ckvm_run_msr(page.run), isWrite: true))
    case KVM_EXIT_DEBUG: self = .debug(DebugExit(unsafe ckvm_run_debug(page.run)))
    default: self = Self.rare(page, reason)
    }
  }

  private static func rare(_ page: borrowing RunPage, _ reason: UInt32) -> Exit {
    switch Int32(bitPattern: reason) {
    case KVM_EXIT_SHUTDOWN: return .shutdown
    case KVM_EXIT_SYSTEM_EVENT: return .systemEvent(SystemEvent(page))
    case KVM_EXIT_HYPERCALL: return .hypercall(Hypercall(unsafe ckvm_run_hypercall(page.run)))
    case KVM_EXIT_HYPERV: return .hyperV(HyperVExit(page))
    case KVM_EXIT_EXCEPTION:
      let raw = unsafe ckvm_run_exception(page.run)
      return .exception(vector: Vector(rawValue: UInt8(truncatingIfNeeded: raw.vector)), errorCode: raw.error_code)
    case KVM_EXIT_NMI: return .nmi
    case KVM_EXIT_X86_BUS_LOCK: return .busLock
    case KVM_EXIT_NOTIFY:
      return .notify(contextIsInvalid: unsafe ckvm_run_notify_flags(page.run) & UInt32(KVM_NOTIFY_CONTEXT_INVALID) != 0)
    case KVM_EXIT_MEMORY_FAULT: return .memoryFault(MemoryFault(unsafe ckvm_run_memory_fault(page.run)))
    case KVM_EXIT_DIRTY_RING_FULL: return .dirtyRingFull
    case KVM_EXIT_FAIL_ENTRY:
      let raw = unsafe ckvm_run_fail_entry(page.run)
      return .failEntry(FailedEntry(reason: raw.reason, cpu: raw.cpu))
    case KVM_EXIT_INTERNAL_ERROR: return .internalError(InternalError(page))
    default: return .unknown(reason: reason, hardwareReason: unsafe ckvm_run_hardware_reason(page.run))
    }
  }
}

extension PortAccess {
  fileprivate init(_ page: borrowing RunPage) {
    let io = unsafe ckvm_run_io(page.run)
    self.init(direction: io.is_write != 0 ? .write : .read, port: io.port, width: io.size, count: io.count)
    guard direction == .write, count == 1 else { return }
    page.withPortData(io) { data in
      for index in 0..<min(data.count, 4) { value |= UInt32(data[index]) << (8 * index) }
    }
  }
}

extension MMIOAccess {
  fileprivate init(_ raw: ckvm_mmio_exit) {
    let length = min(raw.length, 8)
    let bits = length < 8 ? raw.data & (1 << (8 * length) - 1) : raw.data
    self.init(
      direction: raw.is_write != 0 ? .write : .read, address: raw.address, length: UInt8(length),
      value: raw.is_write != 0 ? bits : 0)
  }
}

extension MSRAccess {
  fileprivate init(_ raw: ckvm_msr_exit, isWrite: Bool) {
    self.init(reason: MSRExitReasons(rawValue: raw.reason), index: raw.index, value: isWrite ? raw.data : 0)
  }
}

extension TPRAccess {
  fileprivate init(_ raw: ckvm_tpr_exit) {
    self.init(rip: raw.rip, direction: raw.is_write != 0 ? .write : .read)
  }
}

extension Hypercall {
  fileprivate init(_ raw: ckvm_hypercall_exit) {
    let arguments = raw.arguments
    self.init(
      number: raw.number,
      arguments: [arguments.0, arguments.1, arguments.2, arguments.3, arguments.4, arguments.5])
  }
}

extension HyperVExit {
  fileprivate init(_ page: borrowing RunPage) {
    let type = unsafe ckvm_run_hyperv_type(page.run)
    switch Int32(bitPattern: type) {
    case KVM_EXIT_HYPERV_SYNIC:
      let raw = unsafe ckvm_run_synic(page.run)
      self = .synIC(
        SynICRegisters(msr: raw.msr, control: raw.control, eventPage: raw.event_page, messagePage: raw.message_page))
    case KVM_EXIT_HYPERV_HCALL:
      let raw = unsafe ckvm_run_hyperv_call(page.run)
      self = .call(HyperVCall(input: raw.input, parameters: [raw.parameters.0, raw.parameters.1]))
    default: self = .other(type: type)
    }
  }
}

extension SystemEvent {
  fileprivate init(_ page: borrowing RunPage) {
    self.init(type: unsafe ckvm_run_event_type(page.run))
    for index in unsafe 0..<ckvm_run_event_count(page.run) { data.append(unsafe ckvm_run_event_word(page.run, index)) }
  }
}

extension InternalError {
  fileprivate init(_ page: borrowing RunPage) {
    self.init(suberror: unsafe ckvm_run_internal_suberror(page.run))
    for index in unsafe 0..<ckvm_run_internal_count(page.run) {
      data.append(unsafe ckvm_run_internal_word(page.run, index))
    }
    guard suberror == UInt32(KVM_INTERNAL_ERROR_EMULATION) else { return }
    for index in unsafe 0..<ckvm_run_instruction_size(page.run) {
      instruction.append(unsafe ckvm_run_instruction_byte(page.run, index))
    }
  }
}
