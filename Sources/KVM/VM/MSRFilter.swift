import CKVM
import Synchronization
import SystemPackage

/// Which MSR accesses of the guest KVM handles; it refuses the others or hands them to user space, as
/// `exitOnMSRAccess(.filter)` says (KVM API, KVM_X86_SET_MSR_FILTER).
public struct MSRFilter: Hashable, Sendable {
  /// A run of MSRs with an answer for each.
  public struct Range: Hashable, Sendable {
    /// The first MSR.
    public var base: UInt32

    /// For each MSR from the first: whether KVM handles it.
    public var allows: [Bool]

    /// Whether the range is about reads.
    public var reads: Bool

    /// Whether the range is about writes.
    public var writes: Bool

    /// A range.
    public init(base: UInt32, allows: [Bool], reads: Bool = true, writes: Bool = true) {
      self.base = base
      self.allows = allows
      self.reads = reads
      self.writes = writes
    }
  }

  /// Whether KVM handles the MSRs that no range is about.
  public var allowsOthers: Bool

  /// At most 16 ranges, of at most 12288 MSRs each.
  public var ranges: [Range]

  /// A filter; without ranges everything is handled by KVM.
  public init(allowsOthers: Bool = true, ranges: [Range] = []) {
    self.allowsOthers = allowsOthers
    self.ranges = ranges
  }
}

extension VirtualMachine {
  /// Sets which MSR accesses KVM handles (KVM_X86_SET_MSR_FILTER).
  ///
  /// The registers of an x2APIC cannot be filtered.
  ///
  /// - Throws: `KVMError`: E2BIG for too many ranges, EINVAL for an empty or long range.
  public func setMSRFilter(_ filter: MSRFilter) throws(KVMError) {
    guard filter.ranges.count <= Int(KVM_MSR_FILTER_MAX_RANGES) else {
      throw KVMError(call: .setMSRFilter, errno: .argListTooLong, detail: "\(filter.ranges.count) ranges")
    }
    var raw = kvm_msr_filter()
    raw.flags = UInt32(filter.allowsOthers ? KVM_MSR_FILTER_DEFAULT_ALLOW : KVM_MSR_FILTER_DEFAULT_DENY)
    var bytes = filter.ranges.flatMap { $0.bitmap }
    let answer = unsafe bytes.withUnsafeMutableBufferPointer { buffer in
      var start = buffer.baseAddress
      for (index, range) in filter.ranges.enumerated() {
        guard let bitmap = unsafe start else { break }
        // Sound: each range's bitmap is its own part of `bytes`, which stays in place until KVM has read it.
        unsafe ckvm_msr_filter_set_range(
          &raw, UInt32(index), range.flags, range.base, UInt32(clamping: range.allows.count), bitmap)
        unsafe start = bitmap + range.bitmap.count
      }
      return unsafe ckvm_set_msr_filter(descriptor.rawValue, &raw)
    }
    try attempt(.setMSRFilter, answer)
    chosen.withLock { $0.msrFilter = filter }
  }
}

extension MSRFilter.Range {
  fileprivate var flags: UInt32 {
    UInt32((reads ? KVM_MSR_FILTER_READ : 0) | (writes ? KVM_MSR_FILTER_WRITE : 0))
  }

  /// One bit an MSR, a whole number of 64-bit words, which is what KVM reads.
  fileprivate var bitmap: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: (allows.count + 63) / 64 * 8)
    for (index, allowed) in allows.enumerated() where allowed { bytes[index / 8] |= 1 << (index % 8) }
    return bytes
  }
}
