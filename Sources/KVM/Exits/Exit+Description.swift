import APIC

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
