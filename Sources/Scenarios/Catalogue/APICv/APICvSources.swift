import APIC
import KVM
import VMM

/// Sources of interrupts other than messages.
extension Scenario {
  /// The local APIC's own timer, whose expiry the kernel hands to the hardware like any other interrupt.
  static let apicvTimer = Scenario(
    "apicv.timer", "With APICv, a timer that expires while its vCPU runs is delivered without an injection",
    exercises: ["apic_timer_expired", "kvm_apic_inject_pending_timer_irqs", "vmx_deliver_interrupt"],
    path: .virtualDelivery
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.load(0, rounds: 1)
    try vcpu.setTimer(0x9b)
    try test.stimulus {
      for count in 1...10 {
        try vcpu.startTimer(count: 100_000)
        try test.until("expiry \(count) is taken") { test.taken(0x9b, on: 0) >= count }
      }
    }
    try test.expect(10, of: 0x9b, on: 0)
  }

  /// The EOI-exit bitmap has the vectors of level-triggered pins alone.
  static let apicvEOIExit = Scenario(
    "apicv.eoi-exit",
    "With APICv, the EOI of a level-triggered interrupt leaves the guest, and that of an edge does not",
    exercises: ["vcpu_load_eoi_exitmap", "vmx_load_eoi_exitmap", "handle_apic_eoi_induced", "SDM 3C 31.1.4"],
    needs: [.feature(.apicv)]
  ) { test in
    let rounds = 20
    try test[vcpu: 0].handle(0x9d, [.acknowledges])
    try test.load(0, rounds: 1)
    let edges = try test.exitsForEOIs(rounds, of: 0x9c, pin: 20, .edge)
    var levels: UInt64 = 0
    try test.stimulus { levels = try test.exitsForEOIs(rounds, of: 0x9d, pin: 21, .level) }
    test.note("exits for \(rounds) edges", edges)
    test.note("exits for \(rounds) levels", levels)
    try test.check("next to no exits for edges", edges < UInt64(rounds / 2), saw: edges)
    try test.check("an exit for each level interrupt", levels >= UInt64(rounds), saw: levels)
    try test.check("remote IRR is clear", try !test.redirection(pin: 21).remoteIRR)
  }
}

extension TestContext {
  /// Has a line interrupt vCPU 0 so many times, and counts the exits that its own doing causes meanwhile.
  fileprivate func exitsForEOIs(
    _ rounds: Int, of vector: Vector, pin: Int, _ trigger: TriggerMode
  ) throws -> UInt64 {
    try setRedirection(
      pin: pin, RedirectionEntry(vector: vector, destination: self[vcpu: 0].destination, triggerMode: trigger))
    // What is touched for the first time is not counted.
    try pulse(UInt32(pin), vector)
    try fence(0)
    let before = try statistics[0].read()
    for _ in 0..<rounds { try pulse(UInt32(pin), vector) }
    let change = try statistics[0].read().delta(since: before)
    guard let exits = change["exits"] else { throw ScenarioFailure("this kernel does not count exits") }
    return exits - min(exits, change["irq_exits"] ?? 0)
  }

  private func pulse(_ pin: UInt32, _ vector: Vector) throws {
    let count = taken(vector, on: 0)
    try setLine(pin, to: true)
    try until("the line's interrupt is taken") { taken(vector, on: 0) > count }
    try setLine(pin, to: false)
  }
}
