import KVM
import VMM

/// A stop that gdb has not been told of yet: several vCPUs may come to something at once, and gdb takes one at a time.
struct PendingStop {
  let vcpu: Int
  let reason: StopReply.Reason
  let pc: UInt64

  /// A stop, as the breakpoints were when it happened.
  init(_ stop: DebugStop, _ hardware: HardwareBreakpoints) {
    vcpu = stop.vcpu
    pc = stop.pc
    switch stop.cause {
    case .step: reason = .trap
    case .softwareBreakpoint: reason = .softwareBreakpoint
    case .hardwareBreakpoint(let hits):
      guard let slot = hardware.slot(hits: hits) else {
        reason = .trap
        return
      }
      switch slot.access {
      case .execute: reason = .hardwareBreakpoint
      case .write: reason = .writeWatch(address: slot.address)
      case .readWrite: reason = .accessWatch(address: slot.address)
      }
    }
  }

  /// Whether gdb still wants to know of it when it lets the vCPU go on: it may have taken the breakpoint away, or have
  /// moved the vCPU.
  func isStillTrue(_ target: DebugTarget, for kind: ResumeAction.Kind) throws(KVMError) -> Bool {
    switch reason {
    case .trap: return kind == .step
    case .interrupt: return false
    case .softwareBreakpoint:
      guard target.software.addresses.contains(pc) else { return false }
      return try target.registers(of: vcpu).linearPC == pc
    case .hardwareBreakpoint:
      guard target.hardware.stopsExecution(at: pc) else { return false }
      return try target.registers(of: vcpu).linearPC == pc
    case .writeWatch(let address), .accessWatch(let address):
      return target.hardware.slots.contains { $0?.address == address && $0?.access != .execute }
    }
  }
}
