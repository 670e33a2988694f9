/// What the firmware of the unit tests' PC leaves in memory below 1 MiB, where guests do not take it for free: ACPI's
/// tables and the environment.
struct UnitTestFirmware {
  static let environmentStart = ACPITables.limit

  let platform: UnitTestPlatform
  let apicIDs: [UInt32]

  /// Where the environment lies; nil for none.
  var environmentRange: Range<UInt64>? {
    let size = UInt64(platform.environment.count)
    return size > 0 ? Self.environmentStart..<Self.environmentStart + size : nil
  }

  func write(to memory: GuestMemory) throws(GuestMemoryError) {
    for (address, bytes) in ACPITables(apicIDs: apicIDs).contents { try memory.write(bytes, at: address) }
    try memory.write(platform.environment, at: Self.environmentStart)
  }
}
