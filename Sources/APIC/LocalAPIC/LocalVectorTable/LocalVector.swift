/// A source inside the processor that has an entry in the local vector table (SDM volume 3A, section 12.5.1).
public enum LocalVector: Sendable {
  /// The corrected machine-check interrupt.
  case cmci
  /// The local APIC's timer.
  case timer
  /// The thermal sensor.
  case thermal
  /// The performance counters.
  case performance
  /// The LINT0 pin.
  case lint0
  /// The LINT1 pin.
  case lint1
  /// The errors that the ESR records.
  case error

  /// The register that holds the entry.
  public var register: LocalAPICRegister {
    switch self {
    case .cmci: .lvtCMCI
    case .timer: .lvtTimer
    case .thermal: .lvtThermal
    case .performance: .lvtPerformance
    case .lint0: .lvtLINT0
    case .lint1: .lvtLINT1
    case .error: .lvtError
    }
  }
}

#if !hasFeature(Embedded)
extension LocalVector: CaseIterable {}
#endif
