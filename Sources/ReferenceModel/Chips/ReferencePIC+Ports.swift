import APIC

extension ReferencePIC {
  /// Writes a port of the pair; others are ignored (8259A data sheet, initialization and operation command words).
  ///
  /// - Parameters:
  ///   - value: What.
  ///   - port: Where.
  ///   - isTaken: Whether there is a processor that takes the pair's interrupts.
  /// - Returns: Whether it began an initialization.
  @discardableResult
  public mutating func write(_ value: UInt8, to port: UInt16, isTaken: Bool = true) -> Bool {
    switch port {
    case PIC.Chip.master.commandPort: return command(value, .master, isTaken: isTaken)
    case PIC.Chip.slave.commandPort: return command(value, .slave, isTaken: isTaken)
    case PIC.Chip.master.dataPort: if master.data(value) || !deviations.contains(.picOutputKept) { update() }
    case PIC.Chip.slave.dataPort: if slave.data(value) || !deviations.contains(.picOutputKept) { update() }
    case PIC.Chip.master.edgeLevelPort: master.edgeLevel = value & master.edgeLevelMask
    case PIC.Chip.slave.edgeLevelPort: slave.edgeLevel = value & slave.edgeLevelMask
    default: break
    }
    return false
  }

  /// Whether a read of a port polls (8259A data sheet, poll command).
  public func polls(at port: UInt16) -> Bool {
    switch port {
    case PIC.Chip.master.commandPort, PIC.Chip.master.dataPort: master.polls
    case PIC.Chip.slave.commandPort, PIC.Chip.slave.dataPort: slave.polls
    default: false
    }
  }

  /// Reads a port of the pair; others give 0xff.
  public mutating func read(_ port: UInt16) -> UInt8 {
    switch port {
    case PIC.Chip.master.commandPort: return master.polls ? poll(.master) : master.status
    case PIC.Chip.slave.commandPort: return slave.polls ? poll(.slave) : slave.status
    case PIC.Chip.master.dataPort: return master.polls ? poll(.master) : master.imr
    case PIC.Chip.slave.dataPort: return slave.polls ? poll(.slave) : slave.imr
    case PIC.Chip.master.edgeLevelPort: return master.edgeLevel
    case PIC.Chip.slave.edgeLevelPort: return slave.edgeLevel
    default: return 0xff
    }
  }

  /// A read in poll mode acknowledges: bit 7 says that there is one, bits 2:0 which (8259A data sheet, poll command;
  /// `pic_poll_read`).
  private mutating func poll(_ chip: PIC.Chip) -> UInt8 {
    let line = requested(of: chip)
    var polled = self[chip]
    polled.polls = false
    if let line {
      if deviations.contains(.picPollEndsService) {
        polled.irr &= ~(1 << line)
        polled.isr &= ~(1 << line)
      } else {
        polled.acknowledge(line)
      }
    }
    self[chip] = polled
    guard let line else {
      update()
      return deviations.contains(.picEmptyPollReadsSeven) ? 7 : 0
    }
    if chip == .slave, deviations.contains(.picPollEndsService) {
      master.irr &= ~(1 << PIC.cascadeLine)
      master.isr &= ~(1 << PIC.cascadeLine)
    }
    // What the slave wants is found at the slave.
    if chip == .slave || line != PIC.cascadeLine || !deviations.contains(.picOutputKept) { update() }
    return deviations.contains(.picPollWithoutBit7) ? line : 0x80 | line
  }

  /// - Returns: Whether it began an initialization.
  private mutating func command(_ value: UInt8, _ chip: PIC.Chip, isTaken: Bool) -> Bool {
    if value & 0x10 != 0 {
      self[chip].initialize(value, deviations, isTaken: isTaken)
      if !deviations.contains(.picOutputKept) { update() }
      return true
    }
    if value & 0x08 != 0 {
      if value & 0x04 != 0 { self[chip].polls = true }
      if value & 0x02 != 0 { self[chip].showsInService = value & 1 != 0 }
      if value & 0x40 != 0 {
        self[chip].specialMask = value & 0x20 != 0
        if !deviations.contains(.picSpecialMaskIgnored) { update() }
      }
    } else if self[chip].operate(value, mindsMask: !deviations.contains(.picSpecialMaskIgnored)) {
      // What the slave wants is an edge for the master, so it is passed on only by what may change it.
      update()
    }
    return false
  }

  private subscript(chip: PIC.Chip) -> Chip {
    get { chip == .master ? master : slave }
    set { if chip == .master { master = newValue } else { slave = newValue } }
  }
}

extension ReferencePIC.Chip {
  fileprivate var status: UInt8 { showsInService ? isr : irr }

  /// ICW1 clears the mask, edge detection and the modes (8259A data sheet, initialization command words 1 and 2;
  /// `kvm_pic_reset`). Which lines are levels a PC has in its ELCR, and not in LTIM.
  fileprivate mutating func initialize(_ value: UInt8, _ deviations: Deviations, isTaken: Bool) {
    needsICW4 = value & 1 != 0
    isSingle = value & 2 != 0 && !deviations.contains(.picSingleModeIgnored)
    let edges = irr & ~edgeLevel
    if !deviations.contains(.picServiceKeptByInitialization) { isr = 0 } else if isTaken { isr &= ~edges }
    lastLevels = 0
    irr &= edgeLevel
    imr = 0
    highestLine = 0
    specialMask = false
    showsInService = false
    if !needsICW4 { (specialFullyNested, automaticEOI) = (false, false) }
    initialization = 1
  }

  /// OCW2.
  ///
  /// - Returns: Whether the chip's request may have changed without its lines.
  fileprivate mutating func operate(_ value: UInt8, mindsMask: Bool) -> Bool {
    let named = value & 7
    switch value >> 5 {
    case 0, 4:
      rotatesOnAutomaticEOI = value >> 5 == 4
      return false
    case 1, 5:
      // In special mask mode it leaves the service of masked lines (8259A data sheet, special mask mode).
      guard let rank = rank(specialMask && mindsMask ? isr & ~imr : isr) else { return false }
      end((rank + highestLine) & 7, rotating: value >> 5 == 5)
    case 3: end(named, rotating: false)
    case 6: highestLine = (named + 1) & 7
    case 7: end(named, rotating: true)
    default: return false
    }
    return true
  }

  private mutating func end(_ line: UInt8, rotating: Bool) {
    isr &= ~(1 << line)
    if rotating { highestLine = (line + 1) & 7 }
  }

  /// ICW2 to ICW4, or OCW1, the mask.
  ///
  /// - Returns: Whether it was the mask.
  fileprivate mutating func data(_ value: UInt8) -> Bool {
    switch initialization {
    case 1:
      vectorBase = value & 0xf8
      initialization = isSingle ? (needsICW4 ? 3 : 0) : 2
    case 2: initialization = needsICW4 ? 3 : 0
    case 3:
      specialFullyNested = value & 0x10 != 0
      automaticEOI = value & 0x02 != 0
      initialization = 0
    default:
      imr = value
      return true
    }
    return false
  }
}
