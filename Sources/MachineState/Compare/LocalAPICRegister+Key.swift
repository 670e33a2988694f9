public import APIC

extension LocalAPICRegister {
  /// The register's name in the path of a difference, such as `vcpus[0].localAPIC.spurious`.
  public var key: String {
    switch self {
    case .id: "id"
    case .version: "version"
    case .taskPriority: "taskPriority"
    case .arbitrationPriority: "arbitrationPriority"
    case .processorPriority: "processorPriority"
    case .endOfInterrupt: "endOfInterrupt"
    case .remoteRead: "remoteRead"
    case .logicalDestination: "logicalDestination"
    case .destinationFormat: "destinationFormat"
    case .spurious: "spurious"
    case .inService: "inService"
    case .triggerModes: "triggerModes"
    case .interruptRequest: "interruptRequest"
    case .errorStatus: "errorStatus"
    case .lvtCMCI: "lvtCMCI"
    case .interruptCommand: "interruptCommand"
    case .interruptCommandHigh: "interruptCommandHigh"
    case .lvtTimer: "lvtTimer"
    case .lvtThermal: "lvtThermal"
    case .lvtPerformance: "lvtPerformance"
    case .lvtLINT0: "lvtLINT0"
    case .lvtLINT1: "lvtLINT1"
    case .lvtError: "lvtError"
    case .initialCount: "initialCount"
    case .currentCount: "currentCount"
    case .divide: "divide"
    case .selfIPI: "selfIPI"
    }
  }
}
