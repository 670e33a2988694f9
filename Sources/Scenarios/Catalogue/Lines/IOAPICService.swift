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
