import KVM
import Support
import SystemPackage

/// Runs vCPUs that halt, and would stay in the kernel until something wakes them.
enum HaltingRun {
  /// Runs a vCPU, and takes it out by a signal if it stays, which leaves it halted.
  static func run(_ vcpu: VCPU) throws(KVMError) -> Exit {
    do throws(Errno) {
      try CallInterruption.begin()
    } catch {
      throw KVMError(call: .run, errno: error, detail: "what takes a vCPU out of KVM_RUN")
    }
    defer { CallInterruption.end() }
    return try vcpu.run()
  }

  /// Runs a vCPU that is halted with a signal pending: KVM looks first whether something wakes the vCPU, and sees the signal before it
  /// enters the guest (`vcpu_block`, `kvm_vcpu_exit_request`). So nobody has to wait for a signal.
  ///
  /// - Returns: Whether it stays halted.
  static func stays(_ vcpu: VCPU) throws(KVMError) -> Bool {
    try CallInterruption.withSignalPending { () throws(KVMError) in
      try vcpu.setSignalMask(0)
      do throws(KVMError) {
        let exit = try vcpu.run()
        guard exit == .interrupted else { throw KVMError(call: .run, errno: .ioError, detail: "\(exit)") }
      } catch {
        try? vcpu.setSignalMask(nil)
        throw error
      }
      try vcpu.setSignalMask(nil)
    }
    return try vcpu.mpState() == .halted
  }
}
