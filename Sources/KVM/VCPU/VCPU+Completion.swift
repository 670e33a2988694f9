import CKVM
import Synchronization

// What user space answers before the guest runs again. Each looks at the last exit and does nothing after another kind,
// so an answer cannot land in the wrong place. Sound: the lock keeps the page from KVM_RUN.
extension VCPU {
  /// Answers `Exit.io` of a guest that reads a port once.
  ///
  /// - Parameter value: what it reads; bits beyond the access's width are dropped.
  public func completePortRead(_ value: UInt32) {
    withPortData { data in
      for index in 0..<min(data.count, 4) { data[index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }
  }

  /// Hands out the data of `Exit.io`: `count` items of `width` bytes, one after another; a string instruction has several.
  ///
  /// - Parameter body: reads what the guest wrote, or fills in what it reads. It must not call `run()` on this vCPU.
  /// - Returns: what `body` returns; nil when the last exit was no port access.
  @discardableResult
  public func withPortData<Answer: Sendable, Failure: Error>(
    _ body: (inout MutableSpan<UInt8>) throws(Failure) -> Answer
  ) throws(Failure) -> Answer? {
    try runPage.withLock { (page) throws(Failure) in
      guard unsafe page.run.pointee.exit_reason == UInt32(KVM_EXIT_IO) else { return nil }
      return try page.withPortData(unsafe ckvm_run_io(page.run), body)
    }
  }

  /// Answers `Exit.mmio` of a guest that reads.
  ///
  /// - Parameter value: what it reads, least significant byte first; bytes beyond the access's length are ignored.
  public func completeMMIORead(_ value: UInt64) {
    runPage.withLock { page in
      guard unsafe page.run.pointee.exit_reason == UInt32(KVM_EXIT_MMIO), unsafe ckvm_run_mmio(page.run).is_write == 0
      else { return }
      unsafe ckvm_run_set_mmio_data(page.run, value)
    }
  }

  /// Answers `Exit.readMSR`.
  ///
  /// - Parameter value: what the guest reads; nil makes RDMSR raise #GP.
  public func completeMSRRead(_ value: UInt64?) {
    completeMSR(UInt32(KVM_EXIT_X86_RDMSR), data: value ?? 0, fails: value == nil)
  }

  /// Answers `Exit.writeMSR`.
  ///
  /// - Parameter accepted: false makes WRMSR raise #GP.
  public func completeMSRWrite(accepted: Bool) {
    completeMSR(UInt32(KVM_EXIT_X86_WRMSR), data: nil, fails: !accepted)
  }

  /// Answers `Exit.hypercall`.
  ///
  /// - Parameter result: what the guest finds in RAX.
  public func completeHypercall(_ result: UInt64) {
    runPage.withLock { page in
      guard unsafe page.run.pointee.exit_reason == UInt32(KVM_EXIT_HYPERCALL) else { return }
      unsafe ckvm_run_set_hypercall_result(page.run, result)
    }
  }

  /// Answers a call of Hyper-V's.
  ///
  /// - Parameter result: what the guest finds in RAX: a status in bits 15:0.
  public func completeHyperVCall(_ result: UInt64) {
    runPage.withLock { page in
      guard unsafe page.run.pointee.exit_reason == UInt32(KVM_EXIT_HYPERV),
        unsafe ckvm_run_hyperv_type(page.run) == UInt32(KVM_EXIT_HYPERV_HCALL)
      else { return }
      unsafe ckvm_run_set_hyperv_result(page.run, result)
    }
  }

  private func completeMSR(_ reason: UInt32, data: UInt64?, fails: Bool) {
    runPage.withLock { page in
      guard unsafe page.run.pointee.exit_reason == reason else { return }
      let data = unsafe data ?? ckvm_run_msr(page.run).data
      unsafe ckvm_run_set_msr(page.run, data, fails ? 1 : 0)
    }
  }
}
