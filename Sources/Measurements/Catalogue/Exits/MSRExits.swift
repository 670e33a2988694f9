import GuestContract

extension Measurement {
  /// Accesses to an MSR that KVM keeps itself (IA32_MISC_ENABLE), which no hardware lets through.
  static let msrExits = [
    cost("exit.msr.read", "RDMSR of IA32_MISC_ENABLE", .readMSR),
    cost("exit.msr.write", "WRMSR of IA32_MISC_ENABLE", .writeMSR),
  ]
}
