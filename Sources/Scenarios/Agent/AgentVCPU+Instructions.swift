public import APIC
import GuestContract
import VMM

/// Single instructions.
extension AgentVCPU {
  /// RDMSR.
  public func readMSR(_ index: UInt32) throws -> UInt64 { try perform(.readMSR, UInt64(index)).first }

  /// WRMSR.
  public func writeMSR(_ index: UInt32, _ value: UInt64) throws { try perform(.writeMSR, UInt64(index), value) }

  /// The exception that RDMSR raises; nil for none.
  public func faultReadingMSR(_ index: UInt32) throws -> Vector? {
    try attempt(.readMSR, [UInt64(index)]).fault.map(Vector.init(rawValue:))
  }

  /// The exception that WRMSR raises; nil for none.
  public func faultWritingMSR(_ index: UInt32, _ value: UInt64) throws -> Vector? {
    try attempt(.writeMSR, [UInt64(index), value]).fault.map(Vector.init(rawValue:))
  }

  /// A read of guest-physical memory or a memory-mapped register, of 1, 2 or 4 bytes.
  public func readMemory(_ address: UInt64, width: Int = 4) throws -> UInt32 {
    UInt32(truncatingIfNeeded: try perform(.readMemory, address, UInt64(width)).first)
  }

  /// A write of 1, 2 or 4 bytes.
  public func writeMemory(_ address: UInt64, _ value: UInt32, width: Int = 4) throws {
    try perform(.writeMemory, address, UInt64(value), UInt64(width))
  }

  /// IN of 1, 2 or 4 bytes.
  public func readPort(_ port: UInt16, width: Int = 1) throws -> UInt32 {
    UInt32(truncatingIfNeeded: try perform(.readPort, UInt64(port), UInt64(width)).first)
  }

  /// OUT of 1, 2 or 4 bytes.
  public func writePort(_ port: UInt16, _ value: UInt32, width: Int = 1) throws {
    try perform(.writePort, UInt64(port), UInt64(width), UInt64(value))
  }

  /// MOV from CR8: the task priority's class.
  public func readCR8() throws -> UInt64 { try perform(.readCR8).first }

  /// MOV to CR8.
  public func writeCR8(_ value: UInt64) throws { try perform(.writeCR8, value) }

  /// The exception that MOV to CR8 raises; nil for none.
  public func faultWritingCR8(_ value: UInt64) throws -> Vector? {
    try attempt(.writeCR8, [value]).fault.map(Vector.init(rawValue:))
  }

  /// RDTSC.
  public func readTSC() throws -> UInt64 { try perform(.readTSC).first }

  /// CPUID.
  public func cpuid(_ leaf: UInt32, _ subleaf: UInt32 = 0) throws -> (
    eax: UInt32, ebx: UInt32, ecx: UInt32, edx: UInt32
  ) {
    let (first, second) = try perform(.cpuid, UInt64(leaf), UInt64(subleaf))
    return (
      UInt32(truncatingIfNeeded: first), UInt32(truncatingIfNeeded: first >> 32),
      UInt32(truncatingIfNeeded: second), UInt32(truncatingIfNeeded: second >> 32)
    )
  }

  /// STI: lets interrupts in.
  public func enableInterrupts() throws { try perform(.setInterrupts, 1) }

  /// CLI: holds interrupts off.
  public func disableInterrupts() throws { try perform(.setInterrupts, 0) }

  /// A hypercall: RAX afterwards, or the exception that the instruction raised.
  ///
  /// - Parameters:
  ///   - number: RAX.
  ///   - first: RBX.
  ///   - second: RCX.
  ///   - third: RDX.
  ///   - fourth: RSI.
  ///   - vmmcall: AMD's instruction instead of Intel's.
  public func hypercall(
    _ number: UInt32, _ first: UInt64, _ second: UInt64, _ third: UInt32 = 0, _ fourth: UInt32 = 0, vmmcall: Bool
  ) throws -> (result: Int64, fault: Vector?) {
    let instruction = UInt64(vmmcall ? 1 : 0) << 32
    let answer = try attempt(
      .hypercall, [instruction | UInt64(number), first, second, UInt64(fourth) << 32 | UInt64(third)])
    return (Int64(bitPattern: answer.first), answer.fault.map(Vector.init(rawValue:)))
  }
}

extension AgentVCPU {
  /// A hypercall by the instruction that the processor's maker gives it, VMCALL or AMD's VMMCALL; its answer.
  ///
  /// - Parameters:
  ///   - number: which one: RAX.
  ///   - arguments: up to four, for RBX, RCX, RDX and RSI; of the last two the lower 32 bits are used.
  public func hypercall(_ number: UInt32, _ arguments: UInt64...) throws -> Int64 {
    let genu: UInt32 = 0x756e_6547  // The first four letters of "GenuineIntel" (SDM volume 2A, CPUID).
    let isIntel = try cpuid(0).ebx == genu
    let padded = arguments + [0, 0, 0, 0]
    let answer = try hypercall(
      number, padded[0], padded[1], UInt32(truncatingIfNeeded: padded[2]), UInt32(truncatingIfNeeded: padded[3]),
      vmmcall: !isIntel)
    if let fault = answer.fault { throw ScenarioFailure("\(isIntel ? "VMCALL" : "VMMCALL") raises exception \(fault)") }
    return answer.result
  }
}
