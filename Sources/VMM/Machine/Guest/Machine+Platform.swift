extension Machine {
  /// Whether the guest has looked for QEMU's devices on a machine that has none of them: it is one of kvm-unit-tests' images,
  /// probably, and for the unit tests' PC.
  public var isMissingUnitTestPlatform: Bool {
    guard configuration.profile.unitTest == nil else { return false }
    return ports.unclaimedAccesses.first.contains { FirmwareConfiguration.selectorPort.contains($0.address) }
  }
}
