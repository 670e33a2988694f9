import APIC
import KVM

extension Scenario {
  /// A redirection entry that is pointed at another processor.
  static let ioapicRedirected = Scenario(
    "lines.ioapic.redirected",
    "A pin that is redirected while its interrupt waits: that one is served, the next goes elsewhere",
    vcpus: 2, exercises: ["ioapic_write_indirect", "kvm_ioapic_update_eoi_one", "kvm_apic_pending_eoi"]
  ) { stage in
    var entry = RedirectionEntry(vector: 0x6a, destination: stage[vcpu: 0].destination, triggerMode: .level)
    try stage.setRedirection(pin: 20, entry)
    try stage[vcpu: 0].disableInterrupts()
    try stage.stimulus { try stage.setLine(20, to: true) }
    try stage.setLine(20, to: false)
    entry.destination = stage[vcpu: 1].destination
    try stage.rewriteRedirection(pin: 20, entry)
    try stage.check("software does not change remote IRR", try stage.redirection(pin: 20).remoteIRR)
    try stage[vcpu: 0].enableInterrupts()
    try stage.expect(1, of: 0x6a, on: 0)
    try stage.check("the EOI of the old target clears it", try !stage.redirection(pin: 20).remoteIRR)
    try stage[vcpu: 1].handle(0x6a, [.lowers, .acknowledges], parameter: 20)
    try stage.setLine(20, to: true)
    try stage.expectAtLeast(1, of: 0x6a, on: 1)
    try stage.expectDrained(1, of: 0x6a, on: 0)
  }

  /// The same while the interrupt is in service.
  static let ioapicRewrittenInService = Scenario(
    "lines.ioapic.rewritten-in-service",
    "A pin whose entry is rewritten while its interrupt is in service gets its EOI",
    vcpus: 2, exercises: ["ioapic_write_indirect", "kvm_ioapic_update_eoi_one", "kvm_apic_pending_eoi"],
    needs: [.trait(.inService)]
  ) { stage in
    let vcpu = stage[vcpu: 1]
    try vcpu.handle(0x6b, [.nests, .waits, .acknowledges], parameter: 0x92)
    var entry = RedirectionEntry(vector: 0x6b, destination: vcpu.destination, triggerMode: .level)
    try stage.setRedirection(pin: 20, entry)
    try stage.stimulus { try stage.setLine(20, to: true) }
    try stage.expect(1, of: 0x6b, on: 1)
    try stage.setLine(20, to: false)
    entry.destination = stage[vcpu: 0].destination
    try stage.rewriteRedirection(pin: 20, entry)
    try stage[vcpu: 0].send(.interrupt(0x92, to: vcpu.destination))
    try stage.expectDrained(1, of: 0x6b, on: 1)
    try stage.check("the EOI has cleared remote IRR", try !stage.redirection(pin: 20).remoteIRR)
  }

  /// What drivers do to get rid of a remote IRR that is stuck.
  static let ioapicMadeEdge = Scenario(
    "lines.ioapic.made-edge", "Making a level-triggered pin edge-triggered clears its remote IRR",
    exercises: ["ioapic_write_indirect"]
  ) { stage in
    var entry = RedirectionEntry(vector: 0x6c, destination: stage[vcpu: 0].destination, triggerMode: .level)
    try stage.setRedirection(pin: 20, entry)
    try stage[vcpu: 0].disableInterrupts()
    try stage.stimulus { try stage.setLine(20, to: true) }
    try stage.setLine(20, to: false)
    try stage.check("remote IRR is set", try stage.redirection(pin: 20).remoteIRR)
    entry.triggerMode = .edge
    try stage.rewriteRedirection(pin: 20, entry)
    try stage.check("remote IRR is clear", try !stage.redirection(pin: 20).remoteIRR)
    try stage[vcpu: 0].enableInterrupts()
    try stage.expect(1, of: 0x6c, on: 0)
  }

  /// The registers that are no redirection entries.
  static let ioapicRegisters = Scenario(
    "lines.ioapic.registers", "The IOAPIC has an id that software sets, version 0x11, 24 pins and reset values",
    exercises: ["ioapic_read_indirect", "ioapic_write_indirect", "kvm_ioapic_reset", "82093AA 3.2"]
  ) { stage in
    for pin in 0..<IOAPIC.pinCount {
      try stage.check("pin \(pin) is masked at reset", try stage.redirection(pin: pin), equals: .masked)
    }
    let version = IOAPICVersion(rawValue: try stage.readIOAPIC(.version))
    try stage.check("the version", version.version, equals: 0x11)
    try stage.check("the last pin", Int(version.maxRedirectionEntry), equals: IOAPIC.pinCount - 1)
    try stage.check("the id at reset", try stage.readIOAPIC(.id), equals: 0)
    try stage.stimulus { try stage.writeIOAPIC(.id, 0xf5ff_ffff) }
    try stage.check("the id", try stage.readIOAPIC(.id), equals: 0x0500_0000)
    try stage.check("the arbitration id", try stage.readIOAPIC(.arbitration), equals: 0x0500_0000)
    try stage.writeIOAPIC(.version, 0)
    try stage.check(
      "the version is read-only", IOAPICVersion(rawValue: try stage.readIOAPIC(.version)), equals: version)
  }
}
