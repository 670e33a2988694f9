/// A register of the local APIC, by its offset in the register page (SDM volume 3A, tables 12-1 and 12-6).
///
/// The ISR, the TMR and the IRR are eight registers each, of which the case is the first.
public enum LocalAPICRegister: UInt16, Sendable {
  /// The local APIC ID.
  case id = 0x020
  /// The version, whose fields are `LocalAPICVersion`.
  case version = 0x030
  /// The TPR, a `Priority`.
  case taskPriority = 0x080
  /// The APR, a `Priority`.
  case arbitrationPriority = 0x090
  /// The PPR, a `Priority`.
  case processorPriority = 0x0a0
  /// The EOI register; a write of 0 ends the interrupt of highest priority in service.
  case endOfInterrupt = 0x0b0
  /// The remote read register.
  case remoteRead = 0x0c0
  /// The LDR, the logical APIC ID.
  case logicalDestination = 0x0d0
  /// The DFR, a `DestinationFormat`.
  case destinationFormat = 0x0e0
  /// The SVR, whose fields are `SpuriousInterruptVectorRegister`.
  case spurious = 0x0f0
  /// The ISR, a `VectorSet` in eight registers.
  case inService = 0x100
  /// The TMR, a `VectorSet` in eight registers.
  case triggerModes = 0x180
  /// The IRR, a `VectorSet` in eight registers.
  case interruptRequest = 0x200
  /// The ESR, an `ErrorStatus`.
  case errorStatus = 0x280
  /// The LVT entry of the corrected machine-check interrupt.
  case lvtCMCI = 0x2f0
  /// The ICR: in xAPIC mode its lower half, in x2APIC mode all 64 bits. Its fields are `InterruptCommand`.
  case interruptCommand = 0x300
  /// The upper half of the ICR, in xAPIC mode.
  case interruptCommandHigh = 0x310
  /// The LVT entry of the timer.
  case lvtTimer = 0x320
  /// The LVT entry of the thermal sensor.
  case lvtThermal = 0x330
  /// The LVT entry of the performance counters.
  case lvtPerformance = 0x340
  /// The LVT entry of the LINT0 pin.
  case lvtLINT0 = 0x350
  /// The LVT entry of the LINT1 pin.
  case lvtLINT1 = 0x360
  /// The LVT entry of the errors that the ESR records.
  case lvtError = 0x370
  /// The timer's initial count; writing it starts the timer.
  case initialCount = 0x380
  /// The timer's current count.
  case currentCount = 0x390
  /// The timer's divide configuration, a `TimerDivide`.
  case divide = 0x3e0
  /// The SELF IPI register of x2APIC mode; a write of a vector sends it to the processor itself.
  case selfIPI = 0x3f0

  /// How many registers in a row the case stands for: 8 for the ISR, the TMR and the IRR, else 1.
  public var wordCount: Int {
    switch self {
    case .inService, .triggerModes, .interruptRequest: 8
    default: 1
    }
  }

  /// The offset in bytes of one of the case's registers in the xAPIC's register page.
  ///
  /// - Parameter word: 0 to `wordCount` - 1.
  public func offset(word: Int = 0) -> UInt16 {
    rawValue + 0x10 * UInt16(truncatingIfNeeded: word)
  }

  /// The register's MSR in x2APIC mode, if it exists there (SDM volume 3A, section 12.12.1.2).
  public var msr: UInt32 { msr(word: 0) }

  /// The MSR in x2APIC mode of one of the case's registers.
  ///
  /// - Parameter word: 0 to `wordCount` - 1.
  public func msr(word: Int) -> UInt32 {
    MSR.x2APICBase + UInt32(offset(word: word) >> 4)
  }
}

#if !hasFeature(Embedded)
extension LocalAPICRegister: CaseIterable {}
#endif

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

#if !hasFeature(Embedded)
extension LocalAPICRegister: CustomStringConvertible {
  /// The register's name in the SDM, volume 3A, table 12-1, or for SELF IPI table 12-6.
  public var name: String {
    switch self {
    case .id: "Local APIC ID Register"
    case .version: "Local APIC Version Register"
    case .taskPriority: "Task Priority Register (TPR)"
    case .arbitrationPriority: "Arbitration Priority Register (APR)"
    case .processorPriority: "Processor Priority Register (PPR)"
    case .endOfInterrupt: "EOI Register"
    case .remoteRead: "Remote Read Register (RRD)"
    case .logicalDestination: "Logical Destination Register"
    case .destinationFormat: "Destination Format Register"
    case .spurious: "Spurious Interrupt Vector Register"
    case .inService: "In-Service Register (ISR)"
    case .triggerModes: "Trigger Mode Register (TMR)"
    case .interruptRequest: "Interrupt Request Register (IRR)"
    case .errorStatus: "Error Status Register"
    case .lvtCMCI: "LVT CMCI Register"
    case .interruptCommand: "Interrupt Command Register (ICR)"
    case .interruptCommandHigh: "Interrupt Command Register (ICR), bits 63:32"
    case .lvtTimer: "LVT Timer Register"
    case .lvtThermal: "LVT Thermal Sensor Register"
    case .lvtPerformance: "LVT Performance Monitoring Counters Register"
    case .lvtLINT0: "LVT LINT0 Register"
    case .lvtLINT1: "LVT LINT1 Register"
    case .lvtError: "LVT Error Register"
    case .initialCount: "Initial Count Register (for Timer)"
    case .currentCount: "Current Count Register (for Timer)"
    case .divide: "Divide Configuration Register (for Timer)"
    case .selfIPI: "SELF IPI"
    }
  }

  /// The register's name in the SDM.
  public var description: String { name }
}
#endif
