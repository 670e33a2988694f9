/// What software may do with a register.
public enum RegisterAccess: Sendable {
  /// Only read it.
  case readOnly
  /// Only write it.
  case writeOnly
  /// Read and write it.
  case readWrite
}

extension LocalAPICRegister {
  /// What software may do with the register (SDM volume 3A, tables 12-1 and 12-6).
  ///
  /// - Parameter mode: The mode that the local APIC is in.
  /// - Returns: The access, or `nil` if the register does not exist in that mode.
  public func access(in mode: APICMode) -> RegisterAccess? {
    switch mode {
    case .xAPIC: xAPICAccess
    case .x2APIC: x2APICAccess
    case .disabled, .invalid: nil
    }
  }

  /// Whether the register exists in xAPIC mode.
  public var isInXAPIC: Bool { xAPICAccess != nil }

  /// Whether the register exists in x2APIC mode.
  public var isInX2APIC: Bool { x2APICAccess != nil }

  private var xAPICAccess: RegisterAccess? {
    switch self {
    case .version, .arbitrationPriority, .processorPriority, .remoteRead, .inService, .triggerModes,
      .interruptRequest, .currentCount:
      .readOnly
    case .endOfInterrupt: .writeOnly
    case .selfIPI: nil
    default: .readWrite
    }
  }

  private var x2APICAccess: RegisterAccess? {
    switch self {
    case .id, .logicalDestination: .readOnly
    case .selfIPI: .writeOnly
    case .arbitrationPriority, .remoteRead, .destinationFormat, .interruptCommandHigh: nil
    default: xAPICAccess
    }
  }
}

#if !hasFeature(Embedded)
extension RegisterAccess: CaseIterable {}
#endif
