public import APIC

/// What a write to a register asks of the machine around the local APIC.
public enum RegisterEffect: Hashable, Sendable {
  /// Nothing.
  case none
  /// The access is refused: a general-protection exception in x2APIC mode; in xAPIC mode nothing happens.
  case refused
  /// A message is to be sent.
  case send(InterruptCommand)
  /// The service of that vector has ended.
  case endOfInterrupt(Vector, isLevel: Bool)
  /// Who is reached by which destination has changed.
  case destinations
}

extension ReferenceLocalAPIC {
  /// Reads a register by its offset in the page; the current count is `currentCount(at:)`.
  ///
  /// - Parameters:
  ///   - offset: 0 to 0x3f0, a multiple of 16.
  ///   - moment: When.
  /// - Returns: What it holds; nil where there is no such register, or it cannot be read.
  public mutating func read(_ offset: UInt16, at moment: Moment) -> ClosedRange<UInt64>? {
    guard let register = readable(offset) else { return nil }
    switch register {
    case .arbitrationPriority where deviations.contains(.arbitrationPriorityZero): return 0...0
    case .currentCount:
      let count = currentCount(at: moment)
      return UInt64(count.lowerBound)...UInt64(count.upperBound)
    case .processorPriority: updateProcessorPriority()
    case .interruptCommand where mode == .x2APIC:
      let value = UInt64(commandHigh) << 32 | UInt64(page[.interruptCommand])
      return value...value
    case .errorStatus where deviations.contains(.errorsUnrecorded): break
    default: break
    }
    let value = UInt64(page.registers[Int(offset / 4)])
    return value...value
  }

  private func readable(_ offset: UInt16) -> LocalAPICRegister? {
    guard let register = Self.register(at: offset), register != .remoteRead,
      register != .lvtCMCI || features.hasCMCI, let access = register.access(in: mode), access != .writeOnly
    else { return nil }
    return register
  }

  /// Writes a register by its offset in the page (SDM volume 3A, tables 12-1 and 12-6; `kvm_lapic_reg_write`).
  ///
  /// - Parameters:
  ///   - value: What; more than 32 bits only for the ICR of x2APIC mode.
  ///   - offset: 0 to 0x3f0, a multiple of 16.
  ///   - moment: When.
  /// - Returns: What that asks of the machine.
  public mutating func write(_ value: UInt64, to offset: UInt16, at moment: Moment) -> RegisterEffect {
    guard let register = Self.register(at: offset), register != .lvtCMCI || features.hasCMCI,
      let access = register.access(in: mode), access != .readOnly, isAllowed(value, in: register)
    else {
      met.insert(.registerRefused)
      return .refused
    }
    let word = UInt32(truncatingIfNeeded: value)
    switch register {
    case .id:
      page[.id] = word & 0xff00_0000
      return .destinations
    case .taskPriority:
      page[.taskPriority] = word & 0xff
      updateProcessorPriority()
    case .endOfInterrupt:
      if let ended = endOfInterrupt() { return .endOfInterrupt(ended.vector, isLevel: ended.isLevel) }
    case .logicalDestination:
      page[.logicalDestination] = word & 0xff00_0000
      return .destinations
    case .destinationFormat:
      page[.destinationFormat] = word | 0x0fff_ffff
      return .destinations
    case .spurious: return writeSpurious(word)
    case .errorStatus:
      page[.errorStatus] = unseenErrors
      unseenErrors = 0
    case .interruptCommand: return writeCommand(value)
    case .interruptCommandHigh: page[.interruptCommandHigh] = word & 0xff00_0000
    case .selfIPI: return command(.toSelf(Vector(rawValue: UInt8(truncatingIfNeeded: word))))
    case .lvtCMCI, .lvtTimer, .lvtThermal, .lvtPerformance, .lvtLINT0, .lvtLINT1, .lvtError: writeLVT(word, register)
    case .initialCount:
      guard timer.mode != .tscDeadline else { break }
      page[.initialCount] = word
      startTimer(from: nil, at: moment)
    case .divide:
      let old = page.divide.divisor
      page[.divide] = word & 0b1011
      changeDivide(from: old, at: moment)
    default: break
    }
    return .none
  }

  /// Whether a value has no reserved bit that the register minds (SDM volume 3A, section 12.12.1.3).
  private func isAllowed(_ value: UInt64, in register: LocalAPICRegister) -> Bool {
    guard mode == .x2APIC else { return true }
    guard register != .interruptCommand else { return value & Self.commandReservedBits == 0 }
    guard value >> 32 == 0 else { return false }
    switch register {
    case .errorStatus: return value == 0
    case .selfIPI: return value <= 0xff
    default:
      return deviations.contains(.reservedBitsDropped) || value & ~UInt64(Self.definedBits(register, features)) == 0
    }
  }

  /// Bits 31:20, 17:16 and 13 of the ICR (SDM volume 3A, figure 12-28).
  static var commandReservedBits: UInt64 { 0xfff3_2000 }

  private mutating func writeSpurious(_ word: UInt32) -> RegisterEffect {
    let wasEnabled = isSoftwareEnabled
    page[.spurious] = word & (features.version.supportsEOIBroadcastSuppression ? 0x13ff : 0x3ff)
    if !isSoftwareEnabled {
      met.insert(.softwareDisableMasks)
      // While software has it disabled every entry is masked (SDM volume 3A, section 12.4.7.2).
      for source in LocalVector.allCases where source != .cmci || features.hasCMCI {
        page[source.register] |= 1 << 16
      }
      updateTimerMode()
      timer.hasExpired = false
    }
    return wasEnabled == isSoftwareEnabled ? .none : .destinations
  }

  private mutating func writeLVT(_ word: UInt32, _ register: LocalAPICRegister) {
    var value = word & Self.definedBits(register, features) | (isSoftwareEnabled ? 0 : 1 << 16)
    // Delivery status and remote IRR are read-only in the SDM; KVM, where nothing sets them, keeps what is written.
    if !deviations.contains(.reservedBitsDropped) {
      let readOnly = UInt32(1) << 12 | 1 << 14
      value = value & ~readOnly | page[register] & readOnly
    }
    page[register] = value
    if register == .lvtTimer { updateTimerMode() }
  }

  private mutating func writeCommand(_ value: UInt64) -> RegisterEffect {
    var value = value & ~(1 << 12)
    guard mode != .x2APIC else {
      page[.interruptCommand] = UInt32(truncatingIfNeeded: value)
      commandHigh = UInt32(value >> 32)
      return command(InterruptCommand(rawValue: value))
    }
    if !deviations.contains(.commandReservedBitsKept) { value &= ~Self.commandReservedBits }
    page[.interruptCommand] = UInt32(truncatingIfNeeded: value)
    return command(
      InterruptCommand(xAPICHigh: page[.interruptCommandHigh], low: UInt32(truncatingIfNeeded: value)))
  }

  private mutating func command(_ command: InterruptCommand) -> RegisterEffect {
    let isVectored = command.deliveryMode == .fixed || command.deliveryMode == .lowestPriority
    if isVectored, command.vector.rawValue < 16, !deviations.contains(.illegalVectorsDelivered) {
      record(.sendIllegalVector)
      return .none
    }
    return .send(command)
  }

  /// The upper half of the ICR in x2APIC mode.
  var commandHigh: UInt32 {
    get { deviations.contains(.commandHalvesApart) ? page.registers[0x304 / 4] : page[.interruptCommandHigh] }
    set {
      if deviations.contains(.commandHalvesApart) {
        page.registers[0x304 / 4] = newValue
      } else {
        page[.interruptCommandHigh] = newValue
      }
    }
  }
}

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
