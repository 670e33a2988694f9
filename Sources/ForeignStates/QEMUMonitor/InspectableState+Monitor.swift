import APIC
import KVM
import MachineState

extension InspectableVCPU {
  /// Takes a line of `info lapic` (QEMU, target/i386/cpu-dump.c).
  ///
  /// - Returns: whether it is one.
  mutating func take(lapic line: MonitorLine) throws(MonitorLineError) -> Bool {
    let registers: [Substring: LocalAPICRegister] = [
      "LVT0": .lvtLINT0, "LVT1": .lvtLINT1, "LVTPC": .lvtPerformance, "LVTERR": .lvtError, "LVTTHMR": .lvtThermal,
      "LVTT": .lvtTimer, "SPIV": .spurious, "ICR": .interruptCommand, "ICR2": .interruptCommandHigh,
      "ESR": .errorStatus,
    ]
    if let register = registers[line.name] {
      guard let value = try line.word(1), let word = UInt32(exactly: value) else {
        throw line.expected("a number of 32 bits")
      }
      set(register, to: word)
      return true
    }
    switch line.name {
    case "Timer":
      for (name, register) in [
        ("DCR=", .divide), ("initial_count =", .initialCount), ("current_count =", .currentCount),
      ] as [(String, LocalAPICRegister)] {
        guard let value = try line.value(of: name), let word = UInt32(exactly: value) else {
          throw line.expected(name)
        }
        set(register, to: word)
      }
    case "ISR": try take(.inService, line)
    case "IRR": try take(.interruptRequest, line)
    case "APR":
      guard let arbitration = try line.word(1), let task = try line.word(3), let model = try line.word(5),
        let destination = try line.word(7), let processor = try line.word(9)
      else { throw line.expected("APR, TPR, DFR, LDR and PPR") }
      set(.arbitrationPriority, to: UInt32(truncatingIfNeeded: arbitration))
      set(.taskPriority, to: UInt32(truncatingIfNeeded: task))
      set(.processorPriority, to: UInt32(truncatingIfNeeded: processor))
      set(.destinationFormat, to: UInt32(truncatingIfNeeded: model) << 28 | 0x0fff_ffff)
      // Newer versions print all of an x2APIC's LDR, with eight digits; of others it is bits 31:24.
      let isWhole = destination > 0xff
      set(.logicalDestination, to: UInt32(truncatingIfNeeded: destination) << (isWhole ? 0 : 24))
    default: return false
    }
    return true
  }

  /// Takes the vectors of the ISR or the IRR. Of the TMR only the bits of these vectors are printed.
  private mutating func take(_ register: LocalAPICRegister, _ line: MonitorLine) throws(MonitorLineError) {
    var vectors = VectorSet()
    var levels = values.localAPIC.triggerModes
    for (number, isLevel) in try line.numbers(below: 256) {
      let vector = Vector(rawValue: UInt8(truncatingIfNeeded: number))
      vectors.insert(vector)
      if isLevel { levels.insert(vector) }
    }
    if register == .inService {
      values.localAPIC.inService = vectors
    } else {
      values.localAPIC.interruptRequest = vectors
    }
    values.localAPIC.triggerModes = levels
    fill(.localAPIC(register))
  }

  /// Takes a line of `info registers`.
  ///
  /// - Returns: whether it is one.
  mutating func take(registers line: MonitorLine) throws(MonitorLineError) -> Bool {
    var isTaken = false
    if line.hasPrefix("R") || line.hasPrefix("E") {
      for (name, path) in Self.generalNames {
        if let value = try line.value(of: name, isHexadecimal: true) {
          values.registers[keyPath: path] = value
          isTaken = true
        }
      }
      if isTaken { fill(.general) }
      if let halted = try line.value(of: "HLT=") {
        // One that is not halted runs, or waits for INIT or SIPI: the text does not say.
        if halted == 1 {
          values.mpState = .halted
          fill(.mpState)
        }
        if try line.value(of: "II=") == 0 { fill(.shadow) }
        var management = VCPUEvents.SMI()
        management.inSMM = try line.value(of: "SMM=") == 1
        values.events.smi = management
        fill(.systemManagement)
      }
      if let value = try line.value(of: "EFER=", isHexadecimal: true) {
        values.specialRegisters.efer = value
        isTaken = true
      }
      if isTaken { return true }
    }
    if line.hasPrefix("CR0="), let cr0 = try line.value(of: "CR0=", isHexadecimal: true) {
      values.specialRegisters.cr0 = cr0
      values.specialRegisters.cr2 = try line.value(of: "CR2=", isHexadecimal: true) ?? 0
      values.specialRegisters.cr3 = try line.value(of: "CR3=", isHexadecimal: true) ?? 0
      values.specialRegisters.cr4 = try line.value(of: "CR4=", isHexadecimal: true) ?? 0
      fill(.control)
      return true
    }
    if try takeDebug(line) { return true }
    return try takeSegment(line)
  }

  private mutating func takeDebug(_ line: MonitorLine) throws(MonitorLineError) -> Bool {
    let names: [(String, WritableKeyPath<DebugRegisters, UInt64>)] = [
      ("DR0=", \.dr0), ("DR1=", \.dr1), ("DR2=", \.dr2), ("DR3=", \.dr3), ("DR6=", \.dr6), ("DR7=", \.dr7),
    ]
    guard line.hasPrefix("DR") else { return false }
    for (name, path) in names {
      if let value = try line.value(of: name, isHexadecimal: true) { values.debugRegisters[keyPath: path] = value }
    }
    fill(.debug)
    return true
  }

  private mutating func takeSegment(_ line: MonitorLine) throws(MonitorLineError) -> Bool {
    let segments: [(String, WritableKeyPath<SpecialRegisters, Segment>)] = [
      ("ES", \.es), ("CS", \.cs), ("SS", \.ss), ("DS", \.ds), ("FS", \.fs), ("GS", \.gs), ("LDT", \.ldt), ("TR", \.tr),
    ]
    for (name, path) in segments {
      guard let fields = try line.fields(of: name) else { continue }
      guard fields.count == 4 else { throw line.expected("selector, base, limit and flags") }
      values.specialRegisters[keyPath: path].selector = UInt16(truncatingIfNeeded: fields[0])
      values.specialRegisters[keyPath: path].base = fields[1]
      values.specialRegisters[keyPath: path].limit = UInt32(truncatingIfNeeded: fields[2])
      values.specialRegisters[keyPath: path].take(descriptor: UInt32(truncatingIfNeeded: fields[3]))
      return true
    }
    for (name, path) in [("GDT", \.gdt), ("IDT", \.idt)]
      as [(String, WritableKeyPath<SpecialRegisters, DescriptorTable>)]
    {
      guard let fields = try line.fields(of: name) else { continue }
      guard fields.count >= 2 else { throw line.expected("base and limit") }
      values.specialRegisters[keyPath: path] = DescriptorTable(
        base: fields[0], limit: UInt16(truncatingIfNeeded: fields[1]))
      fill(.segments)
      return true
    }
    return false
  }

  private static let generalNames: [(String, any WritableKeyPath<Registers, UInt64> & Sendable)] = [
    ("EAX=", \.rax), ("EBX=", \.rbx), ("ECX=", \.rcx), ("EDX=", \.rdx), ("ESI=", \.rsi), ("EDI=", \.rdi),
    ("EBP=", \.rbp), ("ESP=", \.rsp), ("EIP=", \.rip), ("EFL=", \.rflags), ("RAX=", \.rax), ("RBX=", \.rbx),
    ("RCX=", \.rcx), ("RDX=", \.rdx), ("RSI=", \.rsi), ("RDI=", \.rdi), ("RBP=", \.rbp), ("RSP=", \.rsp),
    ("R8 =", \.r8), ("R9 =", \.r9), ("R10=", \.r10), ("R11=", \.r11), ("R12=", \.r12), ("R13=", \.r13),
    ("R14=", \.r14), ("R15=", \.r15), ("RIP=", \.rip), ("RFL=", \.rflags),
  ]
}

extension InspectableState {
  /// What QEMU's monitor printed: `info lapic`, `info pic`, `info registers`.
  ///
  /// - Parameter text: the text, with whatever other lines are around it.
  /// - Throws: `ForeignStateError` for a text that has nothing of the monitor's, or a damaged line.
  public init(monitor text: [UInt8]) throws(ForeignStateError) {
    let text = try MonitorText(text)
    guard !text.isEmpty else {
      throw ForeignStateError(.monitor, at: 0, "the lines of 'info lapic', 'info pic' or 'info registers' expected")
    }
    self.init(format: .monitor)
    for (position, (number, vcpu)) in text.vcpus.sorted(by: { $0.key < $1.key }).enumerated() {
      if position != number { remarks.append("vCPU \(position) is QEMU's CPU \(number)") }
      append(InspectableVCPU(index: position, values: vcpu.values, absent: vcpu.absent))
    }
    machine.settings.hasIRQChip = true
    if let chip = text.ioapic {
      machine.ioapic = chip
      fill(.ioapic)
    }
    if text.hasOtherIOAPICs { remarks.append("the text has further IOAPICs, which are not shown") }
    if let master = text.pics[0], let slave = text.pics[1] {
      machine.pics = MachineState.PICPair(master: master, slave: slave)
      fill(.pics)
    }
  }

  /// Whether a text has lines of the monitor's.
  static func isMonitorText(_ text: [UInt8]) -> Bool {
    guard let found = try? MonitorText(text) else { return true }
    return !found.isEmpty
  }
}
