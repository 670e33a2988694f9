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
      guard try outside(index, { _ throws(KVMError) in cvmm_keep_to(processor) }) == 0 else { return false }
    }
    return true
  }

  /// On a vCPU that waits: has KVM load it on one of the host's processors and then on another.
  ///
  /// KVM looks at some things anew whenever a vCPU comes to another processor, such as at VT-x's preemption timer when
  /// it counts for the local APIC's (`kvm_arch_vcpu_load`, `kvm_lapic_restart_hv_timer`).
  ///
  /// - Returns: whether it came to another; not where the host has one, or lets this process use no more.
  /// - Throws: `KVMError`; in practice never.
  @discardableResult
  public func changeProcessor(_ index: Int) throws(KVMError) -> Bool {
    // On the vCPU's own thread. A read of the MP state loads the vCPU, and changes nothing that a pause has not.
    try outside(index) { vcpu throws(KVMError) in
      var affinity = cvmm_affinity()
      let processor = cvmm_processor()
      // Sound: the shim fills in and reads the one structure that it is given.
      guard unsafe cvmm_get_affinity(&affinity) == 0, cvmm_keep_to(processor) == 0 else { return false }
      defer { unsafe _ = cvmm_set_affinity(&affinity) }
      _ = try vcpu.mpState()
      guard cvmm_keep_off(processor) == 0 else { return false }
      _ = try vcpu.mpState()
      return true
    }
  }
}
