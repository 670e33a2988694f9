public import APIC
import VMM

/// The pair of PICs, as a guest programs them on the bootstrap processor.
extension TestContext {
  /// Initializes both chips with ICW1 to ICW4 and masks all lines but those that are given and the cascade.
  ///
  /// - Parameters:
  ///   - master: the vector of line 0.
  ///   - slave: the vector of line 8.
  ///   - lines: 0 to 15, those that may interrupt.
  ///   - endsAutomatically: AEOI.
  public func programPIC(
    master: Vector, slave: Vector, lines: [UInt8], endsAutomatically: Bool = false
  ) throws {
    let vcpu = self[vcpu: 0]
    for (chip, base) in [(PIC.Chip.master, master), (.slave, slave)] {
      try vcpu.writePort(chip.commandPort, UInt32(PIC.InitializationCommand1().rawValue))
      try vcpu.writePort(chip.dataPort, UInt32(base.rawValue))
      try vcpu.writePort(chip.dataPort, UInt32(chip.cascade))
      let last = PIC.InitializationCommand4(endsAutomatically: endsAutomatically)
      try vcpu.writePort(chip.dataPort, UInt32(last.rawValue))
    }
    try unmaskPIC(lines)
    // The PIC ends an interrupt's service, not the local APIC.
    for line in UInt8(0)..<8 {
      try vcpu.handle(Vector(rawValue: master.rawValue + line), [])
      try vcpu.handle(Vector(rawValue: slave.rawValue + line), [])
    }
  }

  /// Masks all lines but those that are given and the cascade (OCW1).
  public func unmaskPIC(_ lines: [UInt8]) throws {
    let open = (lines + [PIC.cascadeLine]).reduce(UInt32(0)) { $0 | 1 << UInt32($1) }
    try self[vcpu: 0].writePort(PIC.Chip.master.dataPort, ~open & 0xff)
    try self[vcpu: 0].writePort(PIC.Chip.slave.dataPort, ~open >> 8 & 0xff)
  }

  /// Makes lines level-triggered, all others edge-triggered (ELCR).
  public func setPICLevelTriggered(_ lines: [UInt8]) throws {
    let levels = lines.reduce(UInt32(0)) { $0 | 1 << UInt32($1) }
    try self[vcpu: 0].writePort(PIC.Chip.master.edgeLevelPort, levels & 0xff)
    try self[vcpu: 0].writePort(PIC.Chip.slave.edgeLevelPort, levels >> 8 & 0xff)
  }

  /// Gives a chip an OCW2 or an OCW3.
  public func command(_ chip: PIC.Chip, _ command: PIC.OperationCommand) throws {
    try self[vcpu: 0].writePort(chip.commandPort, UInt32(command.rawValue))
  }

  /// A chip's IRR, a bit a line.
  public func picRequests(_ chip: PIC.Chip) throws -> UInt32 {
    try command(chip, .readInterruptRequest)
    return try self[vcpu: 0].readPort(chip.commandPort)
  }

  /// A chip's ISR, a bit a line.
  public func picInService(_ chip: PIC.Chip) throws -> UInt32 {
    try command(chip, .readInService)
    return try self[vcpu: 0].readPort(chip.commandPort)
  }

  /// Keeps the PICs from a vCPU: masks LINT0 of its local APIC.
  public func maskLINT0(of vcpu: Int = 0) throws {
    try self[vcpu: vcpu].write(.lvtLINT0, LVTEntry.pin(0, deliveryMode: .external, isMasked: true).rawValue)
  }
}

/// Single registers of the IOAPIC, as a guest reaches them on the bootstrap processor.
extension TestContext {
  /// Reads a register.
  public func readIOAPIC(_ register: IOAPICRegister) throws -> UInt32 {
    try self[vcpu: 0].writeMemory(IOAPIC.defaultAddress + IOAPIC.registerSelectOffset, UInt32(register.rawValue))
    return try self[vcpu: 0].readMemory(IOAPIC.defaultAddress + IOAPIC.windowOffset)
  }

  /// Writes a register.
  public func writeIOAPIC(_ register: IOAPICRegister, _ value: UInt32) throws {
    try self[vcpu: 0].writeMemory(IOAPIC.defaultAddress + IOAPIC.registerSelectOffset, UInt32(register.rawValue))
    try self[vcpu: 0].writeMemory(IOAPIC.defaultAddress + IOAPIC.windowOffset, value)
  }

  /// Writes a redirection entry without masking its pin meanwhile, which `setRedirection` does: what waits at the pin
  /// stays.
  public func rewriteRedirection(pin: Int, _ entry: RedirectionEntry) throws {
    try writeIOAPIC(.redirectionHigh(pin: pin), entry.high)
    try writeIOAPIC(.redirectionLow(pin: pin), entry.low)
  }
}
