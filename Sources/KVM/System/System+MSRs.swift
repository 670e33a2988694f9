import CKVM
import SystemPackage

extension System {
  /// The MSRs that a vCPU's state consists of on this host (KVM_GET_MSR_INDEX_LIST).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func msrIndices() throws(KVMError) -> [UInt32] {
    try unsafe indices(.getMSRIndexList) { unsafe ckvm_get_msr_index_list(descriptor.rawValue, $0) }
  }

  /// The MSRs that describe features of host and KVM (KVM_GET_MSR_FEATURE_INDEX_LIST).
  ///
  /// - Throws: `KVMError`; in practice never.
  public func featureMSRIndices() throws(KVMError) -> [UInt32] {
    try unsafe indices(.getMSRFeatureIndexList) { unsafe ckvm_get_msr_feature_index_list(descriptor.rawValue, $0) }
  }

  /// The values of feature MSRs (system KVM_GET_MSRS).
  ///
  /// - Parameter indices: of `featureMSRIndices()`, at most 256.
  /// - Returns: the values up to the first that KVM refuses, and which that is.
  /// - Throws: `KVMError` with E2BIG for too many.
  public func featureMSRs(_ indices: [UInt32]) throws(KVMError) -> MSRAnswer {
    try readMSRs(descriptor, indices)
  }

  private func indices(
    _ call: KVMCall, _ get: (UnsafeMutablePointer<kvm_msr_list>) -> Int32
  ) throws(KVMError) -> [UInt32] {
    // The list grows with the kernel; the first answer says how much room the second needs.
    var room = 0
    for _ in 0..<3 {
      var header = kvm_msr_list()
      header.nmsrs = UInt32(room)
      let buffer = FlexibleArray(header, repeating: UInt32(0), count: room)
      // Sound: the header says how many indices there is room for, and KVM writes no more.
      let answer = unsafe buffer.withHeader(get)
      let count = Int(buffer.header.nmsrs)
      if Errno(rawValue: -answer) == .argListTooLong, count > room {
        room = count
        continue
      }
      try attempt(call, answer)
      return buffer.prefix(count)
    }
    throw KVMError(call: call, errno: .argListTooLong)
  }
}
