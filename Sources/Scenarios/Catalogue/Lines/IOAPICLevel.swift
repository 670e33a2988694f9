import APIC
import KVM

extension Scenario {
  /// A level-triggered pin.
  static let ioapicLevel = Scenario(
    "lines.ioapic.level", "A level-triggered IOAPIC pin interrupts again and again while its line is high",
    exercises: ["ioapic_set_irq", "kvm_ioapic_update_eoi_one", "kvm_ioapic_send_eoi", "SDM 3A 12.8.4"]
  ) { test in
    try test.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x64, destination: test[vcpu: 0].destination, triggerMode: .level))
    try test.stimulus { try test.setLine(20, to: true) }
    try test.expectAtLeast(3, of: 0x64, on: 0)
    try test.setLine(20, to: false)
    try test.fence(0)
    let served = test.taken(0x64, on: 0)
    try test.expect(served, of: 0x64, on: 0)
    try test.check("remote IRR is clear", try !test.redirection(pin: 20).remoteIRR)
    try test.setLine(20, to: true)
    try test.expectAtLeast(served + 1, of: 0x64, on: 0)
    try test.setLine(20, to: false)
  }

  /// Lowered by the handler, as a device's driver makes its device do.
  static let ioapicServed = Scenario(
    "lines.ioapic.served", "A level-triggered line that its handler lowers is served, and does not stay pending",
    exercises: ["kvm_ioapic_update_eoi_one", "kvm_ioapic_send_eoi"]
  ) { test in
    try test[vcpu: 0].handle(0x65, [.lowers, .acknowledges], parameter: 22)
    try test.setRedirection(
      pin: 22, RedirectionEntry(vector: 0x65, destination: test[vcpu: 0].destination, triggerMode: .level))
    for round in 1...3 {
      let before = test.taken(0x65, on: 0)
      try test.stimulus { try test.setLine(22, to: true) }
      try test.expectAtLeast(before + 1, of: 0x65, on: 0)
      try test.fence(0)
      let after = test.taken(0x65, on: 0)
      try test.expect(after, of: 0x65, on: 0)
      try test.check("remote IRR is clear after round \(round)", try !test.redirection(pin: 22).remoteIRR)
    }
  }

  /// Remote IRR, with the interrupt held off by the interrupt flag.
  static let ioapicRemoteIRR = Scenario(
    "lines.ioapic.remote-irr",
    "Remote IRR is set once a local APIC has accepted a level interrupt, and cleared by its EOI",
    exercises: ["ioapic_service", "kvm_ioapic_update_eoi_one", "82093AA 3.2.4"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x66, destination: vcpu.destination, triggerMode: .level))
    try test.check("remote IRR is clear before", try !test.redirection(pin: 20).remoteIRR)
    try vcpu.disableInterrupts()
    try test.stimulus { try test.setLine(20, to: true) }
    try test.check("remote IRR is set", try test.redirection(pin: 20).remoteIRR)
    try test.setLine(20, to: false)
    try test.check("remote IRR outlasts the line", try test.redirection(pin: 20).remoteIRR)
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x66, on: 0)
    try test.check("the EOI has cleared remote IRR", try !test.redirection(pin: 20).remoteIRR)
  }

  /// Remote IRR while the handler runs.
  static let ioapicInService = Scenario(
    "lines.ioapic.in-service",
    "A level interrupt in service holds remote IRR, and its line gives no second one before EOI",
    vcpus: 2, exercises: ["ioapic_service", "kvm_ioapic_update_eoi_one", "SDM 3A 12.8.4"], needs: [.trait(.inService)]
  ) { test in
    let vcpu = test[vcpu: 1]
    try vcpu.handle(0x67, [.nests, .waits, .acknowledges], parameter: 0x91)
    try test.setRedirection(
      pin: 20, RedirectionEntry(vector: 0x67, destination: vcpu.destination, triggerMode: .level))
    try test.stimulus { try test.setLine(20, to: true) }
    try test.expect(1, of: 0x67, on: 1, unfenced: "it is in service")
    try test.check("remote IRR is set in service", try test.redirection(pin: 20).remoteIRR)
    try test.setLine(20, to: false)
    try test[vcpu: 0].send(.interrupt(0x91, to: vcpu.destination))
    try test.expect(1, of: 0x67, on: 1)
    try test.check("the EOI has cleared remote IRR", try !test.redirection(pin: 20).remoteIRR)
  }

  /// A line that is high when its pin is unmasked.
  static let ioapicMaskedLevel = Scenario(
    "lines.ioapic.masked-level", "A level-triggered line that is high interrupts when its IOAPIC pin is unmasked",
    exercises: ["ioapic_write_indirect", "ioapic_service"]
  ) { test in
    var entry = RedirectionEntry(
      vector: 0x68, destination: test[vcpu: 0].destination, triggerMode: .level, isMasked: true)
    try test[vcpu: 0].handle(0x68, [.lowers, .acknowledges], parameter: 21)
    try test.setRedirection(pin: 21, entry)
    try test.check("a line of a masked pin answers", try test.setLine(21, to: true), equals: .ignored)
    try test.expectNone(of: 0x68, on: 0)
    entry.isMasked = false
    try test.stimulus { try test.setRedirection(pin: 21, entry) }
    try test.expectAtLeast(1, of: 0x68, on: 0)
  }

  /// A line that was lowered before its pin is unmasked.
  static let ioapicWithdrawn = Scenario(
    "lines.ioapic.withdrawn", "A level-triggered line that falls while its pin is masked leaves nothing pending",
    exercises: ["ioapic_set_irq", "ioapic_write_indirect"]
  ) { test in
    var entry = RedirectionEntry(
      vector: 0x69, destination: test[vcpu: 0].destination, triggerMode: .level, isMasked: true)
    try test[vcpu: 0].handle(0x69, [.lowers, .acknowledges], parameter: 21)
    try test.setRedirection(pin: 21, entry)
    try test.setLine(21, to: true)
    try test.setLine(21, to: false)
    entry.isMasked = false
    try test.setRedirection(pin: 21, entry)
    try test.expectNone(of: 0x69, on: 0)
    try test.stimulus { try test.setLine(21, to: true) }
    try test.expectAtLeast(1, of: 0x69, on: 0)
  }
}
