import APIC

extension ReferencePIC {
  /// Writes a port of the pair; others are ignored (8259A data sheet, initialization and operation command words).
  public mutating func write(_ value: UInt8, to port: UInt16) {
    switch port {
    // What the slave wants is an edge for the master, so it is passed on only by what may change it.
    case PIC.Chip.master.commandPort: if !master.command(value) { return }
    case PIC.Chip.slave.commandPort: if !slave.command(value) { return }
    case PIC.Chip.master.dataPort: master.data(value)
    case PIC.Chip.slave.dataPort: slave.data(value)
    case PIC.Chip.master.edgeLevelPort:
      master.edgeLevel = value & master.edgeLevelMask
      return
    case PIC.Chip.slave.edgeLevelPort:
      slave.edgeLevel = value & slave.edgeLevelMask
      return
    default: return
    }
    update()
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

  /// A read in poll mode acknowledges: bit 7 says that there is one, bits 2:0 which.
  private mutating func poll(_ chip: PIC.Chip) -> UInt8 {
    let isMaster = chip == .master
    var polled = isMaster ? master : slave
    polled.polls = false
    let line = polled.requested(isMaster: isMaster)
    if let line { polled.acknowledge(line) }
    if isMaster { master = polled } else { slave = polled }
    update()
    return line.map { 0x80 | $0 } ?? 0
  }
}

extension ReferencePIC.Chip {
  fileprivate var status: UInt8 { showsInService ? isr : irr }

  /// - Returns: Whether the chip's request may have changed without its lines.
  fileprivate mutating func command(_ value: UInt8) -> Bool {
    if value & 0x10 != 0 {
      // ICW1 clears the mask, edge detection and both modes (8259A data sheet, initialization command words 1 and 2).
      needsICW4 = value & 1 != 0
      lastLevels = 0
      irr &= edgeLevel
      imr = 0
      isr = 0
      highestLine = 0
      specialMask = false
      showsInService = false
      if !needsICW4 { (specialFullyNested, automaticEOI) = (false, false) }
      initialization = 1
    } else if value & 0x08 != 0 {
      if value & 0x04 != 0 { polls = true }
      if value & 0x02 != 0 { showsInService = value & 1 != 0 }
      if value & 0x40 != 0 { specialMask = value & 0x20 != 0 }
    } else {
      return operate(value)
    }
    return false
  }

  /// OCW2.
  private mutating func operate(_ value: UInt8) -> Bool {
    let named = value & 7
    switch value >> 5 {
    case 0, 4:
      rotatesOnAutomaticEOI = value >> 5 == 4
      return false
    case 1, 5:
      guard let rank = rank(isr) else { return false }
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

  fileprivate mutating func data(_ value: UInt8) {
    switch initialization {
    case 1:
      vectorBase = value & 0xf8
      initialization = 2
    case 2: initialization = needsICW4 ? 3 : 0
    case 3:
      specialFullyNested = value & 0x10 != 0
      automaticEOI = value & 0x02 != 0
      initialization = 0
    default: imr = value
    }
  }
}
