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
  /// - Throws: `KVMError`: EFAULT for guest memory that cannot be mapped, EINVAL for a state that cannot be entered, EAGAIN
  ///   where the host has no thread for KVM. A signal or an exit request is no error but `Exit.interrupted`, a wait for
  ///   SIPI `Exit.uninitialized`.
  public func run() throws(KVMError) -> Exit {
    try runPage.withLock { (page) throws(KVMError) in
      let answer = ckvm_run(descriptor.rawValue)
      if answer != -Errno.resourceTemporarilyUnavailable.rawValue { page.hasWaitedForSIPI = false }
      guard answer < 0 else { return Exit(page) }
      switch Errno(rawValue: -answer) {
      case .interrupted: return .interrupted
      case .resourceTemporarilyUnavailable: return try exitWithoutRunning(&page)
      case let errno:
        // With KVM_CAP_MEMORY_FAULT_INFO a fault fills the page in although the call fails.
        if let fault = MemoryFault(page, errno: errno) { return .memoryFault(fault) }
        throw KVMError(call: .run, errno: errno, detail: "vCPU \(id)")
      }
    }
  }

  /// What EAGAIN says. KVM answers so after it has waited for INIT and SIPI (`kvm_arch_vcpu_ioctl_run`), and so it answers
  /// at the first run where it cannot start its own thread, for which RLIMIT_NPROC counts (`kvm_mmu_post_init_vm`).
  ///
  /// The first is over once the vCPU waits no more; that INIT and SIPI have come meanwhile can be seen after one such answer,
  /// and not after a second.
  private func exitWithoutRunning(_ page: inout RunPage) throws(KVMError) -> Exit {
    if try mpState() == .uninitialized { return .uninitialized }
    guard !page.hasWaitedForSIPI else {
      throw KVMError(call: .run, errno: .resourceTemporarilyUnavailable, detail: "vCPU \(id)")
    }
    page.hasWaitedForSIPI = true
    return .uninitialized
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
