import CKVM

/// Why an MSR access leaves to user space (KVM API, KVM_CAP_X86_USER_SPACE_MSR).
public struct MSRExitReasons: OptionSet, Hashable, Sendable {
  /// The bits as KVM has them.
  public let rawValue: UInt32

  /// The reasons with those bits.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// The access would raise #GP: a wrong value or a reserved bit (KVM_MSR_EXIT_REASON_INVAL).
  public static let invalid = MSRExitReasons(rawValue: UInt32(KVM_MSR_EXIT_REASON_INVAL))

  /// KVM does not know the MSR (KVM_MSR_EXIT_REASON_UNKNOWN).
  public static let unknown = MSRExitReasons(rawValue: UInt32(KVM_MSR_EXIT_REASON_UNKNOWN))

  /// The MSR filter denies it (KVM_MSR_EXIT_REASON_FILTER).
  public static let filter = MSRExitReasons(rawValue: UInt32(KVM_MSR_EXIT_REASON_FILTER))
}
