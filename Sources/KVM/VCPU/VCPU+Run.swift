import CKVM
import Synchronization
import SystemPackage

extension VCPU {
  /// Runs the guest until something needs user space (KVM_RUN).
  ///
  /// An access that the exit hands over is complete once the guest runs again: answer a read with `completePortRead`,
  /// `completeMMIORead` or `completeMSRRead` before. A second thread that calls this waits for the first. With an in-kernel
  /// irqchip a guest that halts stays inside; `requestExit()` and a signal bring it out.
  ///
  /// - Throws: `KVMError`: EFAULT for guest memory that cannot be mapped, EINVAL for a state that cannot be entered. A
  ///   signal or an exit request is no error but `Exit.interrupted`, a wait for SIPI `Exit.uninitialized`.
  public func run() throws(KVMError) -> Exit {
    try runPage.withLock { (page) throws(KVMError) in
      let answer = ckvm_run(descriptor.rawValue)
      guard answer < 0 else { return Exit(page) }
      switch Errno(rawValue: -answer) {
      case .interrupted: return .interrupted
      case .resourceTemporarilyUnavailable: return .uninitialized
      case let errno:
        // With KVM_CAP_MEMORY_FAULT_INFO a fault fills the page in although the call fails.
        if let fault = MemoryFault(page, errno: errno) { return .memoryFault(fault) }
        throw KVMError(call: .run, errno: errno, detail: "vCPU \(id)")
      }
    }
  }

  /// Makes the next `run()`, or the current one as soon as a signal interrupts it, return `Exit.interrupted`
  /// (KVM_CAP_IMMEDIATE_EXIT).
  ///
  /// Lasts until `clearExitRequest()`. Safe from any thread and in a signal handler.
  public func requestExit() { exitRequest.set(true) }

  /// Takes the request back.
  public func clearExitRequest() { exitRequest.set(false) }

  /// Whether an exit is requested.
  public var isExitRequested: Bool { exitRequest.isSet }

  /// Makes `run()` return `Exit.irqWindowOpen` once the guest can take an interrupt, for a PIC in user space
  /// (`request_interrupt_window`).
  public func requestInterruptWindow(_ request: Bool = true) {
    // Sound: the lock keeps the page from KVM_RUN.
    runPage.withLock { unsafe $0.run.pointee.request_interrupt_window = request ? 1 : 0 }
  }

  /// What the last exit said about interrupts, for a PIC in user space, and about the mode it left.
  public var exitConditions: ExitConditions {
    runPage.withLock { ExitConditions($0) }
  }
}
