/// The word that KVM keeps in guest memory at a vAPIC address, and takes the TPR from (KVM API, KVM_SET_VAPIC_ADDR;
/// `kvm_lapic_sync_to_vapic` in arch/x86/kvm/lapic.c).
public struct VAPICWord: RawRepresentable, Hashable, Sendable {
  /// The word.
  public var rawValue: UInt32

  /// The fields of that word.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// The word that KVM writes for the state of a local APIC.
  public init(_ state: LocalAPICState) {
    self.init(rawValue: UInt32(state.taskPriority.rawValue))
    rawValue[bits: 12...15] = UInt32(state.inService.highest?.priorityClass ?? 0)
    rawValue[bits: 24...31] = UInt32(state.interruptRequest.highest?.rawValue ?? 0)
  }

  /// Bits 7:0: the TPR, which the guest writes and KVM takes over at each exit.
  public var taskPriority: Priority {
    get { Priority(rawValue: UInt8(truncatingIfNeeded: rawValue)) }
    set { rawValue[bits: 0...7] = UInt32(newValue.rawValue) }
  }

  /// Bits 15:8: the class of the highest vector in the ISR, in bits 7:4 of it; 0 for none.
  public var inServiceClass: UInt8 { UInt8(truncatingIfNeeded: rawValue[bits: 12...15]) }

  /// Bits 31:24: the highest vector in the IRR; 0 for none.
  public var highestRequest: Vector? {
    let number = UInt8(truncatingIfNeeded: rawValue[bits: 24...31])
    return number == 0 ? nil : Vector(rawValue: number)
  }
}

#if !hasFeature(Embedded)
extension VAPICWord: CustomStringConvertible {
  /// The fields, as in `TPR 0x40, in service class 6, requested 0x8b`.
  public var description: String {
    let inService = inServiceClass == 0 ? "nothing in service" : "in service class \(inServiceClass)"
    return "TPR \(taskPriority), \(inService), \(highestRequest.map { "requested \($0)" } ?? "nothing requested")"
  }
}
#endif
