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

extension LocalAPICRegister {
  /// What is known of a register; everything that depends on which register it is follows from its row.
  private struct Row {
    let mnemonic: StaticString
    let name: StaticString
    let xAPIC: RegisterAccess?
    let x2APIC: RegisterAccess?
    let words: Int

    init(
      _ mnemonic: StaticString, _ name: StaticString, _ xAPIC: RegisterAccess?, _ x2APIC: RegisterAccess?,
      words: Int = 1
    ) {
      self.mnemonic = mnemonic
      self.name = name
      self.xAPIC = xAPIC
      self.x2APIC = x2APIC
      self.words = words
    }
  }

  /// The SDM's tables 12-1 and 12-6 of volume 3A: a short name, the name there, the access in xAPIC mode, that in x2APIC
  /// mode.
  private var row: Row {
    switch self {
    case .id: Row("ID", "Local APIC ID Register", .readWrite, .readOnly)
    case .version: Row("VERSION", "Local APIC Version Register", .readOnly, .readOnly)
    case .taskPriority: Row("TPR", "Task Priority Register (TPR)", .readWrite, .readWrite)
    case .arbitrationPriority: Row("APR", "Arbitration Priority Register (APR)", .readOnly, nil)
    case .processorPriority: Row("PPR", "Processor Priority Register (PPR)", .readOnly, .readOnly)
    case .endOfInterrupt: Row("EOI", "EOI Register", .writeOnly, .writeOnly)
    case .remoteRead: Row("RRD", "Remote Read Register (RRD)", .readOnly, nil)
    case .logicalDestination: Row("LDR", "Logical Destination Register", .readWrite, .readOnly)
    case .destinationFormat: Row("DFR", "Destination Format Register", .readWrite, nil)
    case .spurious: Row("SVR", "Spurious Interrupt Vector Register", .readWrite, .readWrite)
    case .inService: Row("ISR", "In-Service Register (ISR)", .readOnly, .readOnly, words: 8)
    case .triggerModes: Row("TMR", "Trigger Mode Register (TMR)", .readOnly, .readOnly, words: 8)
    case .interruptRequest: Row("IRR", "Interrupt Request Register (IRR)", .readOnly, .readOnly, words: 8)
    case .errorStatus: Row("ESR", "Error Status Register", .readWrite, .readWrite)
    case .lvtCMCI: Row("LVT_CMCI", "LVT CMCI Register", .readWrite, .readWrite)
    case .interruptCommand: Row("ICR", "Interrupt Command Register (ICR)", .readWrite, .readWrite)
    case .interruptCommandHigh: Row("ICR2", "Interrupt Command Register (ICR), bits 63:32", .readWrite, nil)
    case .lvtTimer: Row("LVT_TIMER", "LVT Timer Register", .readWrite, .readWrite)
    case .lvtThermal: Row("LVT_THERMAL", "LVT Thermal Sensor Register", .readWrite, .readWrite)
    case .lvtPerformance: Row("LVT_PERFMON", "LVT Performance Monitoring Counters Register", .readWrite, .readWrite)
    case .lvtLINT0: Row("LVT_LINT0", "LVT LINT0 Register", .readWrite, .readWrite)
    case .lvtLINT1: Row("LVT_LINT1", "LVT LINT1 Register", .readWrite, .readWrite)
    case .lvtError: Row("LVT_ERROR", "LVT Error Register", .readWrite, .readWrite)
    case .initialCount: Row("INITIAL_COUNT", "Initial Count Register (for Timer)", .readWrite, .readWrite)
    case .currentCount: Row("CURRENT_COUNT", "Current Count Register (for Timer)", .readOnly, .readOnly)
    case .divide: Row("DIVIDE", "Divide Configuration Register (for Timer)", .readWrite, .readWrite)
    case .selfIPI: Row("SELF_IPI", "SELF IPI", nil, .writeOnly)
    }
  }

  /// How many registers in a row the case stands for: 8 for the ISR, the TMR and the IRR, else 1.
  public var wordCount: Int { row.words }

  /// What software may do with the register (SDM volume 3A, tables 12-1 and 12-6).
  ///
  /// - Parameter mode: The mode that the local APIC is in.
  /// - Returns: The access, or `nil` if the register does not exist in that mode.
  public func access(in mode: APICMode) -> RegisterAccess? {
    switch mode {
    case .xAPIC: row.xAPIC
    case .x2APIC: row.x2APIC
    case .disabled, .invalid: nil
    }
  }

  /// Whether the register exists in xAPIC mode.
  public var isInXAPIC: Bool { row.xAPIC != nil }

  /// Whether the register exists in x2APIC mode.
  public var isInX2APIC: Bool { row.x2APIC != nil }
}

/// What software may do with a register.
public enum RegisterAccess: Sendable {
  /// Only read it.
  case readOnly
  /// Only write it.
  case writeOnly
  /// Read and write it.
  case readWrite
}

#if !hasFeature(Embedded)
extension LocalAPICRegister: CaseIterable {
  /// The register's name in the SDM, volume 3A, table 12-1, or for SELF IPI table 12-6.
  public var name: String { "\(row.name)" }

  /// A short name without blanks, such as `TPR` and `LVT_TIMER`: the SDM's abbreviation where it has one.
  public var mnemonic: String { "\(row.mnemonic)" }
}

extension RegisterAccess: CaseIterable {}
#endif
