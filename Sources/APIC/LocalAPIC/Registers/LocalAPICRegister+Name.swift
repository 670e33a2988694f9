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
