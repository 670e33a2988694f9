import CKVM

/// How KVM treats a memory slot (KVM API, KVM_SET_USER_MEMORY_REGION).
public struct MemoryFlags: OptionSet, Hashable, Sendable {
  /// The bits as KVM has them.
  public let rawValue: UInt32

  /// The flags with those bits.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Record which pages the guest writes (KVM_MEM_LOG_DIRTY_PAGES).
  public static let logDirtyPages = MemoryFlags(rawValue: UInt32(KVM_MEM_LOG_DIRTY_PAGES))

  /// Turn guest writes into MMIO exits (KVM_MEM_READONLY).
  public static let readOnly = MemoryFlags(rawValue: UInt32(KVM_MEM_READONLY))
}
