import APIC
import KVM
import VMM

/// Pins whose entries change while an interrupt is in service, and pins that share a vector.
extension Scenario {
  /// What Linux does to move an interrupt to another processor: masked in its handler, unmasked after its EOI.
  static let ioapicMaskedInService = Scenario(
    "lines.ioapic.masked-in-service",
    "A level line masked while in service gets its EOI, and interrupts again once unmasked",
    vcpus: 2, exercises: ["ioapic_write_indirect", "kvm_ioapic_update_eoi_one", "kvm_scan_ioapic_routes"],
    needs: [.trait(.inService)]
  ) { test in
    let vcpu = test[vcpu: 1]
    try vcpu.handle(0x6d, [.holds, .acknowledges])
    var entry = RedirectionEntry(vector: 0x6d, destination: vcpu.destination, triggerMode: .level)
    try test.setRedirection(pin: 20, entry)
    try test.stimulus { try test.setLine(20, to: true) }
    try test.expect(1, of: 0x6d, on: 1, unfenced: "its handler runs")
    entry.isMasked = true
    try test.rewriteRedirection(pin: 20, entry)
    try test.check("remote IRR is set in service", try test.redirection(pin: 20).remoteIRR)
    try vcpu.openGate()
    try test.expect(1, of: 0x6d, on: 1)
    try test.check("the EOI has cleared remote IRR", try !test.redirection(pin: 20).remoteIRR)
    try vcpu.handle(0x6d, [.lowers, .acknowledges], parameter: 20)
    entry.isMasked = false
    try test.rewriteRedirection(pin: 20, entry)
    try test.expect(2, of: 0x6d, on: 1)
    try test.check("remote IRR is clear at the end", try !test.redirection(pin: 20).remoteIRR)
  }

  /// An edge that nobody took, and a change of the trigger mode.
  static let ioapicEdgeMadeLevel = Scenario(
    "lines.ioapic.edge-made-level",
    "An edge on a masked pin is no request once the pin is level-triggered, but a line that is high is one",
    exercises: ["ioapic_write_indirect", "ioapic_set_irq", "kvm_ioapic_update_eoi_one", "82093AA 3.2.4"]
  ) { test in
    let vcpu = test[vcpu: 0]
    func entry(_ trigger: TriggerMode, isMasked: Bool = false) -> RedirectionEntry {
      RedirectionEntry(vector: 0x6e, destination: vcpu.destination, triggerMode: trigger, isMasked: isMasked)
    }
    func become(_ trigger: TriggerMode) throws {
      try test.rewriteRedirection(pin: 20, entry(trigger, isMasked: true))
      try test.rewriteRedirection(pin: 20, entry(trigger))
    }
    try vcpu.handle(0x6e, [.lowers, .acknowledges], parameter: 20)
    try test.setRedirection(pin: 20, entry(.edge, isMasked: true))
    try test.setLine(20, to: true)
    try test.setLine(20, to: false)
    try become(.level)
    try test.expectNone(of: 0x6e, on: 0)
    try become(.edge)
    try test.expectNone(of: 0x6e, on: 0)
    try test.rewriteRedirection(pin: 20, entry(.edge, isMasked: true))
    try test.stimulus { try test.setLine(20, to: true) }
    try become(.level)
    try test.expectAtLeast(1, of: 0x6e, on: 0)
  }

  /// Two devices whose driver gave them one vector.
  static let ioapicSharedVector = Scenario(
    "lines.ioapic.shared-vector", "Two level lines with one vector both interrupt until both are low, and share an EOI",
    exercises: ["ioapic_service", "kvm_ioapic_update_eoi_one", "kvm_ioapic_send_eoi", "kvm_scan_ioapic_routes"]
  ) { test in
    let vcpu = test[vcpu: 0]
    for pin in 20...21 {
      try test.setRedirection(
        pin: pin, RedirectionEntry(vector: 0x6f, destination: vcpu.destination, triggerMode: .level))
    }
    try vcpu.handle(0x6f, [.lowers, .acknowledges], parameter: 20)
    try vcpu.disableInterrupts()
    try test.setLine(20, to: true)
    try test.stimulus { try test.setLine(21, to: true) }
    for pin in 20...21 { try test.check("remote IRR of pin \(pin)", try test.redirection(pin: pin).remoteIRR) }
    try vcpu.beginEnablingInterrupts()
    // The handler lowers line 20 alone; line 21 goes on.
    try test.expectAtLeast(3, of: 0x6f, on: 0)
    try test.setLine(21, to: false)
    try test.fence(0)
    let served = test.taken(0x6f, on: 0)
    try test.expect(served, of: 0x6f, on: 0)
    for pin in 20...21 {
      try test.check("remote IRR of pin \(pin) at the end", try !test.redirection(pin: pin).remoteIRR)
    }
    try test.setLine(20, to: true)
    try test.expectAtLeast(served + 1, of: 0x6f, on: 0)
  }

  /// The line of the clock, whose ticks KVM counts for its owner (Windows keeps time by them).
  static let rtcCoalesced = Scenario(
    "lines.rtc", "An edge on line 8 is coalesced until the tick before it has its EOI, and delivered after it",
    exercises: ["rtc_irq_check_coalesced", "rtc_status_pending_eoi_check_valid", "KVM_IRQ_LINE_STATUS"],
    needs: [.capability(.irqInjectStatus)]
  ) { test in
    let vcpu = test[vcpu: 0]
    func tick() throws -> LineStatus {
      try test.setLine(8, to: false)
      return try test.setLine(8, to: true)
    }
    // To the IOAPIC alone: a PIC would answer too.
    try test.vm.setGSIRouting([.irqChip(gsi: 8, chip: .ioapic, pin: 8)])
    try test.setRedirection(pin: 8, RedirectionEntry(vector: 0x70, destination: vcpu.destination))
    try vcpu.disableInterrupts()
    try test.stimulus { try test.check("the first tick answers", try tick(), equals: .delivered(1)) }
    try test.check("a tick before its EOI answers", try tick(), equals: .coalesced)
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x70, on: 0)
    try test.check("a tick after its EOI answers", try tick(), equals: .delivered(1))
    try test.expect(2, of: 0x70, on: 0)
  }
}

extension Scenario {
  /// A redirection entry that is pointed at another processor.
  static let ioapicRedirected = Scenario(
    "lines.ioapic.redirected",
    "A pin that is redirected while its interrupt waits: that one is served, the next goes elsewhere",
    vcpus: 2, exercises: ["ioapic_write_indirect", "kvm_ioapic_update_eoi_one", "kvm_apic_pending_eoi"]
  ) { test in
    var entry = RedirectionEntry(vector: 0x6a, destination: test[vcpu: 0].destination, triggerMode: .level)
    try test.setRedirection(pin: 20, entry)
    try test[vcpu: 0].disableInterrupts()
    try test.stimulus { try test.setLine(20, to: true) }
    try test.setLine(20, to: false)
    entry.destination = test[vcpu: 1].destination
    try test.rewriteRedirection(pin: 20, entry)
    try test.check("software does not change remote IRR", try test.redirection(pin: 20).remoteIRR)
    try test[vcpu: 0].enableInterrupts()
    try test.expect(1, of: 0x6a, on: 0)
    try test.check("the EOI of the old target clears it", try !test.redirection(pin: 20).remoteIRR)
    try test[vcpu: 1].handle(0x6a, [.lowers, .acknowledges], parameter: 20)
    try test.setLine(20, to: true)
    try test.expectAtLeast(1, of: 0x6a, on: 1)
    try test.expect(1, of: 0x6a, on: 0)
  }

  /// The same while the interrupt is in service.
  static let ioapicRewrittenInService = Scenario(
    "lines.ioapic.rewritten-in-service",
    "A pin whose entry is rewritten while its interrupt is in service gets its EOI",
    vcpus: 2, exercises: ["ioapic_write_indirect", "kvm_ioapic_update_eoi_one", "kvm_apic_pending_eoi"],
    needs: [.trait(.inService)]
  ) { test in
    let vcpu = test[vcpu: 1]
    try vcpu.handle(0x6b, [.nests, .waits, .acknowledges], parameter: 0x92)
    var entry = RedirectionEntry(vector: 0x6b, destination: vcpu.destination, triggerMode: .level)
    try test.setRedirection(pin: 20, entry)
    try test.stimulus { try test.setLine(20, to: true) }
    try test.expect(1, of: 0x6b, on: 1, unfenced: "it is in service")
    try test.setLine(20, to: false)
    entry.destination = test[vcpu: 0].destination
    try test.rewriteRedirection(pin: 20, entry)
    try test[vcpu: 0].send(.interrupt(0x92, to: vcpu.destination))
    try test.expect(1, of: 0x6b, on: 1)
    try test.check("the EOI has cleared remote IRR", try !test.redirection(pin: 20).remoteIRR)
  }

  /// What drivers do to get rid of a remote IRR that is stuck.
  static let ioapicMadeEdge = Scenario(
    "lines.ioapic.made-edge", "Making a level-triggered pin edge-triggered clears its remote IRR",
    exercises: ["ioapic_write_indirect"]
  ) { test in
    var entry = RedirectionEntry(vector: 0x6c, destination: test[vcpu: 0].destination, triggerMode: .level)
    try test.setRedirection(pin: 20, entry)
    try test[vcpu: 0].disableInterrupts()
    try test.stimulus { try test.setLine(20, to: true) }
    try test.setLine(20, to: false)
    try test.check("remote IRR is set", try test.redirection(pin: 20).remoteIRR)
    entry.triggerMode = .edge
    try test.rewriteRedirection(pin: 20, entry)
    try test.check("remote IRR is clear", try !test.redirection(pin: 20).remoteIRR)
    try test[vcpu: 0].enableInterrupts()
    try test.expect(1, of: 0x6c, on: 0)
  }

  /// The registers that are no redirection entries.
  static let ioapicRegisters = Scenario(
    "lines.ioapic.registers",
    "The IOAPIC has an id that software sets, 24 pins, reset values, and ones where no register is",
    exercises: ["ioapic_read_indirect", "ioapic_write_indirect", "kvm_ioapic_reset", "82093AA 3.2"]
  ) { test in
    for pin in 0..<IOAPIC.pinCount {
      try test.check("pin \(pin) is masked at reset", try test.redirection(pin: pin), equals: .masked)
    }
    let version = IOAPICVersion(rawValue: try test.readIOAPIC(.version))
    // Version 0x20 has the EOI register, which KVM's own chip lacks.
    let isSplit = test.machine.configuration.irqChip == .split
    try test.check("the version", version.version, equals: isSplit ? 0x20 : 0x11)
    try test.check("the last pin", Int(version.maxRedirectionEntry), equals: IOAPIC.pinCount - 1)
    try test.check("the id at reset", try test.readIOAPIC(.id), equals: 0)
    try test.stimulus { try test.writeIOAPIC(.id, 0xf5ff_ffff) }
    try test.check("the id", try test.readIOAPIC(.id), equals: 0x0500_0000)
    try test.check("the arbitration id", try test.readIOAPIC(.arbitration), equals: 0x0500_0000)
    try test.writeIOAPIC(.version, 0)
    for selector: UInt8 in [0x03, 0x0f, 0x40, 0x41, 0xff] {
      try test.check(
        "a register that is not there", try test.readIOAPIC(IOAPICRegister(rawValue: selector)), equals: 0xffff_ffff)
    }
    try test.check(
      "the version is read-only", IOAPICVersion(rawValue: try test.readIOAPIC(.version)), equals: version)
  }
}
