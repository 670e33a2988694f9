public import APIC

/// The pair of 8259A as a value (8259A data sheet).
public struct ReferencePIC: Hashable, Sendable {
  /// One of the pair: the fields have the data sheet's names.
  public struct Chip: Hashable, Sendable {
    /// The levels last seen, for edge detection.
    public var lastLevels: UInt8 = 0
    /// The interrupt request register.
    public var irr: UInt8 = 0
    /// The interrupt mask register.
    public var imr: UInt8 = 0
    /// The in-service register.
    public var isr: UInt8 = 0
    /// The line of highest priority.
    public var highestLine: UInt8 = 0
    /// ICW2: the vector of line 0.
    public var vectorBase: UInt8 = 0
    /// Whether the command port shows the ISR.
    public var showsInService = false
    /// Whether the next read polls.
    public var polls = false
    /// Special mask mode.
    public var specialMask = false
    /// Which of ICW2 to ICW4 comes next: 1 to 3, 0 for none.
    public var initialization: UInt8 = 0
    /// An interrupt ends when it is acknowledged.
    public var automaticEOI = false
    /// Priorities rotate then.
    public var rotatesOnAutomaticEOI = false
    /// Special fully nested mode.
    public var specialFullyNested = false
    /// Whether an ICW4 follows.
    public var needsICW4 = false
    /// Whether the chip is alone, and no ICW3 follows.
    public var isSingle = false
    /// The lines that are level-triggered.
    public var edgeLevel: UInt8 = 0
    /// Which of them can be.
    public var edgeLevelMask: UInt8 = 0

    /// A chip with every register 0.
    public init() {}
  }

  /// The chip with lines 0 to 7.
  public var master = Chip()
  /// The chip with lines 8 to 15.
  public var slave = Chip()
  /// Which sources hold each line high, a bit a source.
  var sources = SIMD16<UInt8>(repeating: 0)
  /// Where they differ from the data sheet.
  public let deviations: Deviations
  /// The output as it was when something last looked at it, with `Deviation.picOutputKept`.
  private var keptOutput = false

  /// Chips that software has not initialized; the PC's lines 0, 1, 2, 8 and 13 are always edges.
  public init(deviations: Deviations = .none) {
    self.deviations = deviations
    master.edgeLevelMask = 0xf8
    slave.edgeLevelMask = 0xde
  }

  /// Whether the master asks the processor for an interrupt.
  public var output: Bool { deviations.contains(.picOutputKept) ? keptOutput : requested(of: .master) != nil }

  /// The line of a chip that is to be served: the highest that is requested and not masked, if above the one in service.
  func requested(of chip: PIC.Chip) -> UInt8? {
    let chip = (registers: chip == .master ? master : slave, isMaster: chip == .master)
    var serving = chip.registers.isr
    // In special fully nested mode the slave's own lines are told apart by the slave.
    if chip.registers.specialFullyNested, chip.isMaster { serving &= ~(1 << PIC.cascadeLine) }
    // In special mask mode a masked line in service holds nothing back (8259A data sheet, special mask mode).
    if chip.registers.specialMask, !deviations.contains(.picSpecialMaskIgnored) { serving &= ~chip.registers.imr }
    return chip.registers.requested(above: serving)
  }

  /// One of those who drive a line changes it.
  ///
  /// - Parameters:
  ///   - line: 0 to 15.
  ///   - source: 0 to 7.
  ///   - level: Whether it drives the line high.
  public mutating func setLine(_ line: Int, source: UInt8, to level: Bool) -> DeliveryAnswer {
    sources[line] = level ? sources[line] | 1 << source : sources[line] & ~(1 << source)
    let isHigh = sources[line] != 0
    let answer = line < 8 ? master.setLine(UInt8(line), isHigh) : slave.setLine(UInt8(line - 8), isHigh)
    update()
    return answer
  }

  /// Passes what the slave wants to the master, and what the master wants to the processor (`pic_update_irq`).
  mutating func update() {
    if requested(of: .slave) != nil {
      _ = master.setLine(PIC.cascadeLine, true)
      _ = master.setLine(PIC.cascadeLine, false)
    }
    keptOutput = requested(of: .master) != nil
  }

  /// The processor acknowledges (8259A data sheet, interrupt sequence): the vector, which is that of line 7 where the
  /// request is gone.
  public mutating func acknowledge() -> Vector {
    defer { update() }
    guard let line = requested(of: .master) else { return Vector(rawValue: master.vectorBase &+ 7) }
    master.acknowledge(line)
    guard line == PIC.cascadeLine else { return Vector(rawValue: master.vectorBase &+ line) }
    guard let second = requested(of: .slave) else { return Vector(rawValue: slave.vectorBase &+ 7) }
    slave.acknowledge(second)
    return Vector(rawValue: slave.vectorBase &+ second)
  }
}

extension ReferencePIC.Chip {
  /// A line's level (8259A data sheet, edge and level triggered modes).
  mutating func setLine(_ line: UInt8, _ level: Bool) -> DeliveryAnswer {
    let bit = UInt8(1) << line
    var answer = DeliveryAnswer.delivered(1)
    if edgeLevel & bit != 0 {
      if level {
        if irr & bit != 0 { answer = .coalesced }
        irr |= bit
        lastLevels |= bit
      } else {
        irr &= ~bit
        lastLevels &= ~bit
      }
    } else if level {
      if lastLevels & bit == 0 {
        if irr & bit != 0 { answer = .coalesced }
        irr |= bit
      }
      lastLevels |= bit
    } else {
      lastLevels &= ~bit
    }
    return imr & bit != 0 ? .ignored : answer
  }

  /// The highest line that is requested and not masked, if above all of some that are served.
  fileprivate func requested(above serving: UInt8) -> UInt8? {
    guard let wanted = rank(irr & ~imr) else { return nil }
    if let current = rank(serving), wanted >= current { return nil }
    return (wanted + highestLine) & 7
  }

  /// How far the highest of some lines is from the line of highest priority; nil where there is none.
  func rank(_ lines: UInt8) -> UInt8? {
    guard lines != 0 else { return nil }
    return (0..<8).first { lines >> ((UInt8($0) + highestLine) & 7) & 1 != 0 }.map { UInt8($0) }
  }

  mutating func acknowledge(_ line: UInt8) {
    let bit = UInt8(1) << line
    isr |= bit
    if edgeLevel & bit == 0 { irr &= ~bit }
    guard automaticEOI else { return }
    if rotatesOnAutomaticEOI { highestLine = (line + 1) & 7 }
    isr &= ~bit
  }
}
