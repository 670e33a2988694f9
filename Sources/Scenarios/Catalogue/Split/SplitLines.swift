import APIC
import KVM
import VMM

/// Lines through an IOAPIC in user space.
extension Scenario {
  /// An edge-triggered pin.
  static let splitEdge = Scenario(
    "split.edge", "An edge at an IOAPIC in user space interrupts once, and its EOI changes nothing there",
    exercises: ["kvm_send_userspace_msi", "kvm_ioapic_handles_vector", "KVM_CAP_SPLIT_IRQCHIP"],
    configure: useSplitIRQChip
  ) { test in
    try test.setRedirection(pin: 4, RedirectionEntry(vector: 0x61, destination: test[vcpu: 0].destination))
    try test.stimulus {
      try test.check("a rising line answers", try test.setLine(4, to: true), equals: .delivered(1))
    }
    try test.check("a line that is high already answers", try test.setLine(4, to: true), equals: .coalesced)
    try test.expect(1, of: 0x61, on: 0)
    try test.setLine(4, to: false)
    try test.setLine(4, to: true)
    try test.expect(2, of: 0x61, on: 0)
    try test.check("the entry has no remote IRR", try !test.redirection(pin: 4).remoteIRR)
  }

  /// A level-triggered pin, which needs the exits at EOI.
  static let splitLevel = Scenario(
    "split.level", "KVM reports the EOI of a level interrupt, so that a line which is still high interrupts again",
    exercises: ["kvm_ioapic_send_eoi", "vcpu_scan_ioapic", "kvm_scan_ioapic_routes", "KVM_EXIT_IOAPIC_EOI"],
    configure: useSplitIRQChip
  ) { test in
    try test.setRedirection(
      pin: 5, RedirectionEntry(vector: 0x62, destination: test[vcpu: 0].destination, triggerMode: .level))
    try test.stimulus { try test.setLine(5, to: true) }
    try test.expectAtLeast(3, of: 0x62, on: 0)
    try test.setLine(5, to: false)
    try test.until("the last EOI has come") { try !test.redirection(pin: 5).remoteIRR }
    try test.fence(0)
    let served = test.taken(0x62, on: 0)
    try test.expect(served, of: 0x62, on: 0)
  }

  /// Remote IRR, which only the exit can clear.
  static let splitEOI = Scenario(
    "split.eoi", "An IOAPIC in user space holds remote IRR from a level interrupt until KVM_EXIT_IOAPIC_EOI",
    exercises: ["kvm_ioapic_send_eoi", "KVM_REQ_IOAPIC_EOI_EXIT", "KVM_EXIT_IOAPIC_EOI"],
    configure: useSplitIRQChip
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.setRedirection(
      pin: 6, RedirectionEntry(vector: 0x63, destination: vcpu.destination, triggerMode: .level))
    try vcpu.disableInterrupts()
    try test.stimulus { try test.setLine(6, to: true) }
    try test.setLine(6, to: false)
    try test.check("remote IRR is set", try test.redirection(pin: 6).remoteIRR)
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x63, on: 0)
    try test.until("the EOI has come") { try !test.redirection(pin: 6).remoteIRR }
  }

  /// Another processor's EOI.
  static let splitEOIElsewhere = Scenario(
    "split.eoi-elsewhere", "KVM reports the EOI of a level interrupt on whichever vCPU serves it", vcpus: 2,
    exercises: ["kvm_ioapic_send_eoi", "kvm_scan_ioapic_routes", "KVM_EXIT_IOAPIC_EOI"],
    configure: useSplitIRQChip
  ) { test in
    for (vcpu, pin) in [(0, 7), (1, 8)] {
      let vector = Vector(rawValue: UInt8(0x60 + pin))
      try test[vcpu: vcpu].handle(vector, [.lowers, .acknowledges], parameter: UInt32(pin))
      try test.setRedirection(
        pin: pin, RedirectionEntry(vector: vector, destination: test[vcpu: vcpu].destination, triggerMode: .level))
    }
    try test.stimulus {
      try test.setLine(7, to: true)
      try test.setLine(8, to: true)
    }
    try test.expectAtLeast(1, of: 0x67, on: 0)
    try test.expectAtLeast(1, of: 0x68, on: 1)
    for pin in [7, 8] {
      try test.until("the EOI of pin \(pin) has come") { try !test.redirection(pin: pin).remoteIRR }
    }
  }

  /// Unmasked while its line is high.
  static let splitUnmask = Scenario(
    "split.unmask", "A pin of an IOAPIC in user space that is unmasked while its line is high interrupts",
    exercises: ["KVM_SET_GSI_ROUTING", "kvm_scan_ioapic_routes", "KVM_EXIT_IOAPIC_EOI"],
    configure: useSplitIRQChip
  ) { test in
    var entry = RedirectionEntry(
      vector: 0x64, destination: test[vcpu: 0].destination, triggerMode: .level, isMasked: true)
    try test[vcpu: 0].handle(0x64, [.lowers, .acknowledges], parameter: 9)
    try test.setRedirection(pin: 9, entry)
    try test.check("a masked pin answers", try test.setLine(9, to: true), equals: .ignored)
    try test.expectNone(of: 0x64, on: 0)
    entry.isMasked = false
    try test.stimulus { try test.setRedirection(pin: 9, entry) }
    try test.expectAtLeast(1, of: 0x64, on: 0)
    try test.until("the EOI has come") { try !test.redirection(pin: 9).remoteIRR }
  }
}
