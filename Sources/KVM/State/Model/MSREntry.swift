import CKVM

/// A model-specific register (KVM API, KVM_GET_MSRS; SDM volume 4).
public struct MSREntry: Hashable, Sendable {
  /// Which.
  public var index: UInt32
  /// What it holds.
  public var value: UInt64

  /// A register.
  public init(index: UInt32, value: UInt64 = 0) {
    self.index = index
    self.value = value
  }
}

/// How far KVM got with a list of MSRs: it goes in order and stops at the first that it refuses.
public struct MSRAnswer: Hashable, Sendable {
  /// Those that KVM took, in the order given; for a read, with their values.
  public var entries: [MSREntry]

  /// The first that KVM refused; nil when it took all.
  ///
  /// Nothing after it was tried.
  public var refused: UInt32?

  /// An answer.
  public init(entries: [MSREntry], refused: UInt32? = nil) {
    self.entries = entries
    self.refused = refused
  }
}

/// Reads MSRs through a vCPU or /dev/kvm (KVM_GET_MSRS).
func readMSRs(_ descriptor: borrowing OwnedDescriptor, _ indices: [UInt32]) throws(KVMError) -> MSRAnswer {
  let buffer = msrBuffer(indices.map { MSREntry(index: $0) })
  let fd = descriptor.rawValue
  // Sound: the header counts the entries behind it, and KVM writes no more.
  let count = Int(try attempt(.getMSRs, unsafe buffer.withHeader { unsafe ckvm_get_msrs(fd, $0) }))
  return MSRAnswer(
    entries: buffer.prefix(count).map { MSREntry(index: $0.index, value: $0.data) },
    refused: count < indices.count ? indices[count] : nil)
}

/// Writes MSRs of a vCPU (KVM_SET_MSRS).
func writeMSRs(_ descriptor: borrowing OwnedDescriptor, _ entries: [MSREntry]) throws(KVMError) -> MSRAnswer {
  let buffer = msrBuffer(entries)
  let fd = descriptor.rawValue
  // Sound: as above; KVM only reads.
  let count = Int(try attempt(.setMSRs, unsafe buffer.withHeader { unsafe ckvm_set_msrs(fd, $0) }))
  return MSRAnswer(
    entries: Array(entries.prefix(count)), refused: count < entries.count ? entries[count].index : nil)
}

private func msrBuffer(_ entries: [MSREntry]) -> FlexibleArray<kvm_msrs, kvm_msr_entry> {
  var header = kvm_msrs()
  header.nmsrs = UInt32(clamping: entries.count)
  let raw = entries.map { kvm_msr_entry(index: $0.index, reserved: 0, data: $0.value) }
  return FlexibleArray(header, raw, empty: kvm_msr_entry())
}
