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
