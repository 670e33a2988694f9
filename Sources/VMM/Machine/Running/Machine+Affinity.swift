import CVMM
public import KVM

extension Machine {
  /// Has the threads of these vCPUs share one of the host's processors until their end: only one of them is in the guest
  /// at a time, and the others are preempted.
  ///
  /// - Parameter indices: the vCPUs'.
  /// - Returns: whether the host lets them; a container's limits may not.
  /// - Throws: `KVMError`; in practice never.
  public func shareProcessor(_ indices: [Int]) throws(KVMError) -> Bool {
    let processor = cvmm_processor()
    for index in indices {
      // On the vCPU's own thread.
      guard try withVCPUStopped(index, { _ throws(KVMError) in cvmm_keep_to(processor) }) == 0 else { return false }
    }
    return true
  }

  /// On a vCPU that waits: has KVM notice an expiry of its local APIC's timer that has come and does not show yet, as far
  /// as the host has another processor for the vCPU to change to.
  ///
  /// - Where VT-x's preemption timer counts, KVM looks at it when the vCPU is loaded on another processor
  ///   (`kvm_arch_vcpu_load`, `kvm_lapic_restart_hv_timer`).
  /// - Where a timer of the kernel counts, it follows the vCPU to that processor at the next entry
  ///   (KVM_REQ_MIGRATE_TIMER). It may be late; but those of one processor expire in their order, so that whoever has
  ///   slept there knows that it has.
  ///
  /// - Throws: `KVMError` where KVM cannot go on with the vCPU.
  public func noticeTimerExpiry(_ index: Int) throws(KVMError) {
    let runner = runner(index)
    // On the vCPU's own thread.
    try withVCPUStopped(index) { vcpu throws(KVMError) in
      var affinity = cvmm_affinity()
      // Sound: the shim fills in and reads the one structure that it is given.
      guard unsafe cvmm_get_affinity(&affinity) == 0 else { return try runner.completePendingWork() }
      defer { unsafe _ = cvmm_set_affinity(&affinity) }
      let processor = cvmm_processor()
      if cvmm_keep_to(processor) == 0 {
        // It loads the vCPU, and changes nothing that a pause has not.
        _ = try vcpu.mpState()
        cvmm_nap()
      }
      // A host may have no other.
      _ = cvmm_keep_off(processor)
      _ = cvmm_keep_to(cvmm_processor())
      try runner.completePendingWork()
      cvmm_nap()
      try runner.completePendingWork()
    }
  }
}
