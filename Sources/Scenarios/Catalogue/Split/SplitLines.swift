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
  ) { stage in
    try stage.setRedirection(pin: 4, RedirectionEntry(vector: 0x61, destination: stage[vcpu: 0].destination))
    try stage.stimulus {
      try stage.check("a rising line answers", try stage.setLine(4, to: true), equals: .delivered(1))
    }
    try stage.check("a line that is high already answers", try stage.setLine(4, to: true), equals: .coalesced)
    try stage.expect(1, of: 0x61, on: 0)
    try stage.setLine(4, to: false)
    try stage.setLine(4, to: true)
    try stage.expect(2, of: 0x61, on: 0)
    try stage.check("the entry has no remote IRR", try !stage.redirection(pin: 4).remoteIRR)
  }

  /// A level-triggered pin, which needs the exits at EOI.
  static let splitLevel = Scenario(
    "split.level", "KVM reports the EOI of a level interrupt, so that a line which is still high interrupts again",
    exercises: ["kvm_ioapic_send_eoi", "vcpu_scan_ioapic", "kvm_scan_ioapic_routes", "KVM_EXIT_IOAPIC_EOI"],
    configure: useSplitIRQChip
  ) { stage in
    try stage.setRedirection(
      pin: 5, RedirectionEntry(vector: 0x62, destination: stage[vcpu: 0].destination, triggerMode: .level))
    try stage.stimulus { try stage.setLine(5, to: true) }
    try stage.expectAtLeast(3, of: 0x62, on: 0)
    try stage.setLine(5, to: false)
    try stage.until("the last EOI has come") { try !stage.redirection(pin: 5).remoteIRR }
    try stage.drain(0)
    let served = stage.taken(0x62, on: 0)
    try stage.expectDrained(served, of: 0x62, on: 0)
  }

  /// Remote IRR, which only the exit can clear.
  static let splitEOI = Scenario(
    "split.eoi", "An IOAPIC in user space holds remote IRR from a level interrupt until KVM_EXIT_IOAPIC_EOI",
    exercises: ["kvm_ioapic_send_eoi", "KVM_REQ_IOAPIC_EOI_EXIT", "KVM_EXIT_IOAPIC_EOI"],
    configure: useSplitIRQChip
  ) { stage in
    let vcpu = stage[vcpu: 0]
    try stage.setRedirection(
      pin: 6, RedirectionEntry(vector: 0x63, destination: vcpu.destination, triggerMode: .level))
    try vcpu.disableInterrupts()
    try stage.stimulus { try stage.setLine(6, to: true) }
    try stage.setLine(6, to: false)
    try stage.check("remote IRR is set", try stage.redirection(pin: 6).remoteIRR)
    try vcpu.enableInterrupts()
    try stage.expect(1, of: 0x63, on: 0)
    try stage.until("the EOI has come") { try !stage.redirection(pin: 6).remoteIRR }
  }

  /// Another processor's EOI.
  static let splitEOIElsewhere = Scenario(
    "split.eoi-elsewhere", "KVM reports the EOI of a level interrupt on whichever vCPU serves it", vcpus: 2,
    exercises: ["kvm_ioapic_send_eoi", "kvm_scan_ioapic_routes", "KVM_EXIT_IOAPIC_EOI"],
    configure: useSplitIRQChip
  ) { stage in
    for (vcpu, pin) in [(0, 7), (1, 8)] {
      let vector = Vector(rawValue: UInt8(0x60 + pin))
      try stage[vcpu: vcpu].handle(vector, [.lowers, .acknowledges], parameter: UInt32(pin))
      try stage.setRedirection(
        pin: pin, RedirectionEntry(vector: vector, destination: stage[vcpu: vcpu].destination, triggerMode: .level))
    }
    try stage.stimulus {
      try stage.setLine(7, to: true)
      try stage.setLine(8, to: true)
    }
    try stage.expectAtLeast(1, of: 0x67, on: 0)
    try stage.expectAtLeast(1, of: 0x68, on: 1)
    for pin in [7, 8] {
      try stage.until("the EOI of pin \(pin) has come") { try !stage.redirection(pin: pin).remoteIRR }
    }
  }

  /// Unmasked while its line is high.
  static let splitUnmask = Scenario(
    "split.unmask", "A pin of an IOAPIC in user space that is unmasked while its line is high interrupts",
    exercises: ["KVM_SET_GSI_ROUTING", "kvm_scan_ioapic_routes", "KVM_EXIT_IOAPIC_EOI"],
    configure: useSplitIRQChip
  ) { stage in
    var entry = RedirectionEntry(
      vector: 0x64, destination: stage[vcpu: 0].destination, triggerMode: .level, isMasked: true)
    try stage[vcpu: 0].handle(0x64, [.lowers, .acknowledges], parameter: 9)
    try stage.setRedirection(pin: 9, entry)
    try stage.check("a masked pin answers", try stage.setLine(9, to: true), equals: .ignored)
    try stage.expectDrained(0, of: 0x64, on: 0)
    entry.isMasked = false
    try stage.stimulus { try stage.setRedirection(pin: 9, entry) }
    try stage.expectAtLeast(1, of: 0x64, on: 0)
    try stage.until("the EOI has come") { try !stage.redirection(pin: 9).remoteIRR }
  }
}
