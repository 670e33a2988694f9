public import APIC

/// Why the guest stopped and user space has the word (KVM API, section 5, `exit_reason`).
public enum Exit: Hashable, Sendable {
  /// The guest accesses an I/O port (KVM_EXIT_IO).
  case io(PortAccess)
  /// The guest accesses an address without memory (KVM_EXIT_MMIO).
  case mmio(MMIOAccess)
  /// The guest halts and no in-kernel local APIC wakes it (KVM_EXIT_HLT).
  case halt
  /// The guest can take an interrupt from a PIC in user space (KVM_EXIT_IRQ_WINDOW_OPEN).
  case irqWindowOpen
  /// A triple fault (KVM_EXIT_SHUTDOWN).
  case shutdown
  /// The guest or KVM wants the machine stopped (KVM_EXIT_SYSTEM_EVENT).
  case systemEvent(SystemEvent)
  /// EOI of a level-triggered interrupt that an IOAPIC in user space sent (KVM_EXIT_IOAPIC_EOI).
  case ioapicEOI(Vector)
  /// An instruction accesses the TPR while that is reported (KVM_EXIT_TPR_ACCESS).
  case tprAccess(TPRAccess)
  /// The guest changed CR8, with the local APIC in user space (KVM_EXIT_SET_TPR).
  case setTPR
  /// The guest reads an MSR that KVM leaves to user space (KVM_EXIT_X86_RDMSR).
  case readMSR(MSRAccess)
  /// The guest writes an MSR that KVM leaves to user space (KVM_EXIT_X86_WRMSR).
  case writeMSR(MSRAccess)
  /// The guest calls a hypervisor function that KVM leaves to user space (KVM_EXIT_HYPERCALL).
  case hypercall(Hypercall)
  /// The guest uses what KVM plays of Hyper-V, and user space has a part in it (KVM_EXIT_HYPERV).
  case hyperV(HyperVExit)
  /// A step or a breakpoint (KVM_EXIT_DEBUG).
  case debug(DebugExit)
  /// An exception that KVM does not deliver (KVM_EXIT_EXCEPTION).
  case exception(vector: Vector, errorCode: UInt32)
  /// A non-maskable interrupt of the host (KVM_EXIT_NMI).
  case nmi
  /// A bus lock (KVM_EXIT_X86_BUS_LOCK).
  case busLock
  /// The guest kept interrupts out for too long (KVM_EXIT_NOTIFY); its state may be invalid.
  case notify(contextIsInvalid: Bool)
  /// Guest memory could not be used (KVM_EXIT_MEMORY_FAULT).
  case memoryFault(MemoryFault)
  /// The ring of dirty pages is full (KVM_EXIT_DIRTY_RING_FULL).
  case dirtyRingFull
  /// The processor refused to enter the guest (KVM_EXIT_FAIL_ENTRY).
  case failEntry(FailedEntry)
  /// KVM cannot go on with the guest (KVM_EXIT_INTERNAL_ERROR).
  case internalError(InternalError)
  /// A signal or an exit request ended KVM_RUN (EINTR, KVM_EXIT_INTR).
  case interrupted
  /// The vCPU waits for INIT or SIPI and was brought out of that (EAGAIN): run it again.
  case uninitialized
  /// A reason that this library does not know, with what the hardware said (KVM_EXIT_UNKNOWN and newer ones).
  case unknown(reason: UInt32, hardwareReason: UInt64)
}

extension Exit: CustomStringConvertible {
  /// What happened, in a few words.
  public var description: String {
    switch self {
    case .io(let access): "\(access)"
    case .mmio(let access): "\(access)"
    case .halt: "halted"
    case .irqWindowOpen: "ready for an interrupt"
    case .shutdown: "triple fault"
    case .systemEvent(let event): event.data.isEmpty ? event.name : "\(event.name) \(event.data.map(hex))"
    case .ioapicEOI(let vector): "EOI of vector \(hex(vector.rawValue))"
    case .tprAccess(let access): "TPR \(access.direction) at RIP \(hex(access.rip))"
    case .setTPR: "CR8 changed"
    case .readMSR(let access): "RDMSR \(hex(access.index))"
    case .writeMSR(let access): "WRMSR \(hex(access.index)), \(hex(access.value))"
    case .hypercall(let call): "hypercall \(call.number)"
    case .hyperV(let exit): "Hyper-V exit: \(exit)"
    case .debug(let debug): "debug exception \(debug.exception.rawValue) at \(hex(debug.pc)), DR6 \(hex(debug.dr6))"
    case .exception(let vector, let code): "exception \(vector.rawValue), error code \(hex(code))"
    case .nmi: "NMI of the host"
    case .busLock: "bus lock"
    case .notify(let invalid): invalid ? "interrupts blocked too long, state invalid" : "interrupts blocked too long"
    case .memoryFault(let fault): "no memory for \(fault.size) bytes at \(hex(fault.address))"
    case .dirtyRingFull: "dirty ring full"
    case .failEntry(let entry): "entry failed on CPU \(entry.cpu), hardware reason \(hex(entry.reason))"
    case .internalError(let error): "\(error)"
    case .interrupted: "interrupted"
    case .uninitialized: "waiting for INIT or SIPI"
    case .unknown(let reason, let hardware): "exit reason \(reason), hardware reason \(hex(hardware))"
    }
  }
}

extension PortAccess: CustomStringConvertible {
  /// As the instruction would be written: `out 0x80, 0x2a (1 byte)`.
  public var description: String {
    let size = "(\(width) \(width == 1 ? "byte" : "bytes")\(count == 1 ? "" : ", \(count) times"))"
    switch direction {
    case .read: return "in \(hex(port)) \(size)"
    case .write: return count == 1 ? "out \(hex(port)), \(hex(value)) \(size)" : "out \(hex(port)) \(size)"
    }
  }
}

extension MMIOAccess: CustomStringConvertible {
  /// The access in a few words: `write of 4 bytes at 0xfee000b0: 0x0`.
  public var description: String {
    let place = "\(direction) of \(length) \(length == 1 ? "byte" : "bytes") at \(hex(address))"
    return direction == .write ? "\(place): \(hex(value))" : place
  }
}

extension InternalError: CustomStringConvertible {
  /// The error's name and, for one of emulation, the instruction's bytes.
  public var description: String {
    guard !instruction.isEmpty else { return data.isEmpty ? name : "\(name) \(data.map(hex))" }
    let bytes = instruction.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    return "\(name), instruction \(bytes.joined(separator: " "))"
  }
}

/// A number as the manuals write it: 0xfee00000.
func hex(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }

/// Which way data goes between guest and device.
public enum Direction: UInt8, Hashable, Sendable {
  /// The guest reads.
  case read = 0
  /// The guest writes.
  case write = 1
}

/// An access to an I/O port (KVM_EXIT_IO).
public struct PortAccess: Hashable, Sendable {
  /// Whether the guest reads (IN, INS) or writes (OUT, OUTS).
  public var direction: Direction
  /// The first port.
  public var port: UInt16
  /// The bytes of one item: 1, 2 or 4.
  public var width: UInt8
  /// How many items; above 1 only for string instructions, whose data `VCPU.withPortData` has.
  public var count: UInt32
  /// What the guest writes, for a write of one item; else 0.
  public var value: UInt32

  /// An access.
  public init(direction: Direction, port: UInt16, width: UInt8, count: UInt32 = 1, value: UInt32 = 0) {
    self.direction = direction
    self.port = port
    self.width = width
    self.count = count
    self.value = value
  }
}

/// An access to a guest-physical address without memory (KVM_EXIT_MMIO).
public struct MMIOAccess: Hashable, Sendable {
  /// Whether the guest reads or writes.
  public var direction: Direction
  /// Where, guest-physical.
  public var address: UInt64
  /// How many bytes, 1 to 8.
  public var length: UInt8
  /// What the guest writes, its first byte the least significant; 0 for a read.
  public var value: UInt64

  /// An access.
  public init(direction: Direction, address: UInt64, length: UInt8, value: UInt64 = 0) {
    self.direction = direction
    self.address = address
    self.length = length
    self.value = value
  }
}

/// An access to an MSR (KVM_EXIT_X86_RDMSR, KVM_EXIT_X86_WRMSR).
public struct MSRAccess: Hashable, Sendable {
  /// Why KVM leaves it to user space.
  public var reason: MSRExitReasons
  /// The MSR.
  public var index: UInt32
  /// What the guest writes; 0 for a read.
  public var value: UInt64

  /// An access.
  public init(reason: MSRExitReasons, index: UInt32, value: UInt64 = 0) {
    self.reason = reason
    self.index = index
    self.value = value
  }
}

/// An access to the task-priority register (KVM_EXIT_TPR_ACCESS).
public struct TPRAccess: Hashable, Sendable {
  /// Where the instruction is.
  public var rip: UInt64
  /// Whether it reads or writes.
  public var direction: Direction

  /// An access.
  public init(rip: UInt64, direction: Direction) {
    self.rip = rip
    self.direction = direction
  }
}

/// A call of a hypervisor function (KVM_EXIT_HYPERCALL).
public struct Hypercall: Hashable, Sendable {
  /// The function's number.
  public var number: UInt64
  /// Its six arguments.
  public var arguments: [UInt64]

  /// A call.
  public init(number: UInt64, arguments: [UInt64]) {
    self.number = number
    self.arguments = arguments
  }
}
