import APIC

extension ReferenceLocalAPIC {
  /// The bits of a register that are not reserved (SDM volume 3A, figures 12-7, 12-8, 12-10, 12-13, 12-18 and 12-23).
  static func definedBits(_ register: LocalAPICRegister, _ features: LocalAPICFeatures) -> UInt32 {
    switch register {
    case .taskPriority: 0xff
    case .endOfInterrupt, .errorStatus: 0
    case .spurious: features.version.supportsEOIBroadcastSuppression ? 0x13ff : 0x3ff
    case .lvtTimer: 0x1_10ff | (features.hasTSCDeadline ? 0x6_0000 : 0x2_0000)
    case .lvtError: 0x1_10ff
    case .lvtThermal, .lvtPerformance, .lvtCMCI: 0x1_17ff
    case .lvtLINT0, .lvtLINT1: 0x1_f7ff
    case .divide: 0b1011
    default: .max
    }
  }

  /// The register at an offset in the page: of the ISR, the TMR and the IRR the case that stands for its eight.
  static func register(at offset: UInt16) -> LocalAPICRegister? {
    guard offset & 0xf == 0 else { return nil }
    switch offset {
    case 0x100..<0x180: return .inService
    case 0x180..<0x200: return .triggerModes
    case 0x200..<0x280: return .interruptRequest
    default: return LocalAPICRegister(rawValue: offset)
    }
  }
}
