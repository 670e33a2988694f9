/// What a vCPU was told that KVM never tells back.
public struct VCPUSettings: Hashable, Sendable {
  /// Where the guest's paravirtual TPR is, guest-physical; 0 for none (KVM_SET_VAPIC_ADDR).
  public var vapicAddress: UInt64 = 0
  /// Whether TPR accesses leave to user space (KVM_TPR_ACCESS_REPORTING).
  public var reportsTPRAccesses = false
  /// The capabilities that were enabled on the vCPU, in that order (KVM_ENABLE_CAP).
  public var capabilities: [MachineSettings.EnabledCapability] = []

  /// A vCPU that was told nothing.
  public init() {}
}
