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

/// What to stop the guest for (KVM API, KVM_SET_GUEST_DEBUG).
public struct GuestDebugOptions: OptionSet, Hashable, Sendable {
  /// The bits as KVM has them.
  public let rawValue: UInt32

  /// The options with those bits.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Debug at all; without it the others have no effect (KVM_GUESTDBG_ENABLE).
  public static let enable = GuestDebugOptions(rawValue: UInt32(KVM_GUESTDBG_ENABLE))

  /// After every instruction (KVM_GUESTDBG_SINGLESTEP).
  public static let singleStep = GuestDebugOptions(rawValue: UInt32(KVM_GUESTDBG_SINGLESTEP))

  /// At INT3 (KVM_GUESTDBG_USE_SW_BP).
  public static let softwareBreakpoints = GuestDebugOptions(rawValue: UInt32(KVM_GUESTDBG_USE_SW_BP))

  /// At the breakpoints given, instead of the guest's (KVM_GUESTDBG_USE_HW_BP).
  public static let hardwareBreakpoints = GuestDebugOptions(rawValue: UInt32(KVM_GUESTDBG_USE_HW_BP))

  /// Inject #DB (KVM_GUESTDBG_INJECT_DB).
  public static let injectDB = GuestDebugOptions(rawValue: UInt32(KVM_GUESTDBG_INJECT_DB))

  /// Inject #BP (KVM_GUESTDBG_INJECT_BP).
  public static let injectBP = GuestDebugOptions(rawValue: UInt32(KVM_GUESTDBG_INJECT_BP))

  /// Keep interrupts out while stepping (KVM_GUESTDBG_BLOCKIRQ).
  public static let blockIRQ = GuestDebugOptions(rawValue: UInt32(KVM_GUESTDBG_BLOCKIRQ))
}

extension VCPU {
  /// Chooses what to stop the guest for; it then leaves as `Exit.debug` (KVM_SET_GUEST_DEBUG).
  ///
  /// - Parameters:
  ///   - options: none to debug no longer.
  ///   - breakpoints: DR0 to DR3 and DR7, for `.hardwareBreakpoints`.
  /// - Throws: `KVMError`: EBUSY when an exception waits while one is to be injected, EINVAL for bits that the kernel lacks
  ///   (`.setGuestDebug2` has those it knows).
  public func setGuestDebug(
    _ options: GuestDebugOptions, breakpoints: DebugRegisters = DebugRegisters()
  ) throws(KVMError) {
    var raw = kvm_guest_debug()
    raw.control = options.rawValue
    raw.arch.debugreg = (
      breakpoints.dr0, breakpoints.dr1, breakpoints.dr2, breakpoints.dr3, 0, 0, 0, breakpoints.dr7
    )
    // Sound: KVM reads the one structure it is given.
    try attempt(.setGuestDebug, unsafe ckvm_set_guest_debug(descriptor.rawValue, &raw))
  }
}
