import APIC
import KVM

/// When the interrupt flag, and the shadows that it casts, let a waiting interrupt in.
extension Scenario {
  /// An interrupt that waits for STI.
  static let interruptWindow = Scenario(
    "lines.window", "An interrupt that comes while the interrupt flag is clear is delivered once it is set",
    exercises: ["kvm_check_and_inject_events", "vmx_enable_irq_window", "SDM 3A 7.8.1"]
  ) { test in
    try test.setRedirection(pin: 20, RedirectionEntry(vector: 0x7d, destination: test[vcpu: 0].destination))
    try test[vcpu: 0].disableInterrupts()
    try test.stimulus { try test.setLine(20, to: true) }
    let before = try test[vcpu: 0].readTSC()
    try test.expectHeld(0x7d, on: 0, by: "the interrupt flag")
    try test[vcpu: 0].enableInterrupts()
    try test.expect(1, of: 0x7d, on: 0)
    let taken = try test.takenInOrder(1, of: 0x7d, on: 0)
    try test.check("it is taken after the flag was clear", taken.allSatisfy { $0.tsc > before })
  }

  /// An interrupt window for the PIC, whose interrupts KVM cannot leave to the local APIC.
  static let interruptWindowPIC = Scenario(
    "lines.window-pic", "An interrupt of the PIC that comes while the interrupt flag is clear waits and is delivered",
    exercises: ["kvm_cpu_get_extint", "vmx_enable_irq_window", "kvm_vcpu_ready_for_interrupt_injection"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [4])
    try test[vcpu: 0].disableInterrupts()
    try test.stimulus { try test.setLine(4, to: true) }
    try test.goOn(0)
    try test.check("the line still requests", try test.picRequests(.master), equals: 1 << 4)
    try test.check("interrupts while the flag is clear", test.taken(0x44, on: 0), equals: 0)
    try test[vcpu: 0].enableInterrupts()
    try test.expect(1, of: 0x44, on: 0)
  }

  /// The shadow of STI, which an exit of the host's own may meet: it has to outlast the entry that follows.
  static let shadowSTI = Scenario(
    "lines.shadow-sti", "A waiting interrupt lets the instruction behind STI run first",
    exercises: ["vmx_get_interrupt_shadow", "kvm_check_and_inject_events", "SDM 2B STI"],
    needs: [.trait(.enteredShadow)]
  ) { test in
    let (inside, taken, _) = try passShadow(test, movSS: false)
    try test.check("the instruction in the shadow runs before the handler", inside < taken, saw: "\(inside), \(taken)")
  }

  /// The shadow of MOV SS.
  static let shadowMOVSS = Scenario(
    "lines.shadow-mov-ss", "MOV SS behind STI holds a waiting interrupt off for one instruction more",
    exercises: ["vmx_get_interrupt_shadow", "kvm_check_and_inject_events", "SDM 3A 7.8.3"],
    needs: [.trait(.consecutiveShadows), .trait(.enteredShadow)]
  ) { test in
    let (inside, taken, _) = try passShadow(test, movSS: true)
    try test.deciding(.consecutiveShadows) {
      try test.check(
        "the instruction in the shadow runs before the handler", inside < taken, saw: "\(inside), \(taken)")
    }
  }

  /// The end of a shadow.
  static let shadowEnd = Scenario(
    "lines.shadow-end", "A waiting interrupt is taken at once behind the shadow of STI or MOV SS",
    exercises: ["vmx_get_interrupt_shadow", "vmx_enable_irq_window", "SDM 3A 7.8.3"],
    needs: [.trait(.instructionBoundary)]
  ) { test in
    for movSS in [false, true] {
      let (_, taken, after) = try passShadow(test, movSS: movSS)
      try test.check(
        "the instruction behind the shadow runs after the handler", taken < after, saw: "\(taken), \(after)")
    }
  }

  /// Has an interrupt wait and lets it in: the TSC in the shadow, in the handler and behind the shadow.
  private static func passShadow(_ test: TestContext, movSS: Bool) throws -> (
    inside: UInt64, taken: UInt64, after: UInt64
  ) {
    let vcpu = test[vcpu: 0]
    try test.setRedirection(pin: 20, RedirectionEntry(vector: 0x7e, destination: vcpu.destination))
    try vcpu.disableInterrupts()
    let before = test.taken(0x7e, on: 0)
    try test.stimulus { try test.setLine(20, to: true) }
    let (inside, after) = try vcpu.shadow(movSS: movSS)
    try test.expect(before + 1, of: 0x7e, on: 0)
    try test.setLine(20, to: false)
    let taken = try test.takenInOrder(1, of: 0x7e, on: 0)
    return (inside, taken[0].tsc, after)
  }
}
