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
}
