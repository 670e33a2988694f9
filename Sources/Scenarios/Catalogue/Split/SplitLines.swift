import APIC
import KVM
import VMM

/// Lines through an IOAPIC in user space.
extension Scenario {
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
}
