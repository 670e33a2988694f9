import GuestContract

extension Measurement {
  /// The least that an exit to the kernel takes.
  static let cpuidExit = cost("exit.cpuid", "CPUID of leaf 0", .cpuid)
}
