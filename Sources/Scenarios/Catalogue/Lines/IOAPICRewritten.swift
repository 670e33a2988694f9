import APIC
import KVM
import VMM

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
