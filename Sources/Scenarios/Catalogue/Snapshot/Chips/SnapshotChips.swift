import APIC
import KVM
import MachineState
import VMM

/// The PICs and the PIT when the state is taken.
extension Scenario {
  /// In service through the cascade.
  static let snapshotCascade = Scenario(
    "snapshot.pic", "A slave's line in service holds lower lines off after a restore, until both PICs have their EOI",
    exercises: ["pic_get_irq", "pic_update_irq", "kvm_pic_clear_all", "KVM_SET_IRQCHIP"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [5, 11, 12])
    try test.stimulus { try test.setLine(11, to: true) }
    try test.expect(1, of: 0x4b, on: 0)
    try test.setLine(12, to: true)
    try test.setLine(5, to: true)
    let state = try test.hop()
    try test.check("the master's ISR in the state", state.pics?.master.isr, equals: 1 << 2)
    try test.check("in service at the master", try test.picInService(.master), equals: 1 << 2)
    try test.check("in service at the slave", try test.picInService(.slave), equals: 1 << 3)
    try test.check("requests of the slave", try test.picRequests(.slave) & 1 << 4, equals: 1 << 4)
    for vector in [0x45, 0x4c] as [Vector] { try test.expectNone(of: vector, on: 0) }
    try test.command(.slave, .endOfInterrupt)
    try test.command(.master, .endOfInterrupt)
    try test.expect(1, of: 0x4c, on: 0)
    try test.expectNone(of: 0x45, on: 0)
    try test.command(.slave, .endOfInterrupt)
    try test.command(.master, .endOfInterrupt)
    try test.expect(1, of: 0x45, on: 0)
    try test.expect(1, of: 0x4b, on: 0)
  }

  /// A request that the processor has not acknowledged.
  static let snapshotPICPending = Scenario(
    "snapshot.pic-pending", "A line of the slave that waits for the interrupt flag is taken once after a restore",
    exercises: ["kvm_pic_read_irq", "kvm_cpu_has_extint", "kvm_pic_update_irq", "KVM_GET_IRQCHIP"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [11])
    try test[vcpu: 0].disableInterrupts()
    try test.stimulus { try test.setLine(11, to: true) }
    let state = try test.hop()
    try test.check("the slave's requests in the state", (state.pics?.slave.irr ?? 0) & 1 << 3, equals: 1 << 3)
    try test[vcpu: 0].enableInterrupts()
    try test.expect(1, of: 0x4b, on: 0)
    try test.check("in service at the slave", try test.picInService(.slave), equals: 1 << 3)
  }

  /// Counting once.
  static let snapshotPITOnce = Scenario(
    "snapshot.pit.one-shot", "A PIT that counts once interrupts once after a restore, not before what was left",
    exercises: ["kvm_vm_ioctl_get_pit2", "kvm_vm_ioctl_set_pit2", "pit_load_count", "KVM_SET_PIT2"],
    needs: [.capability(.pit2)]
  ) { test in
    let count: UInt16 = 59_659
    try test.maskLINT0()
    // A vector for each attempt: the host has 50 ms for a hop, and more the PIT cannot count.
    for number in UInt8(0x51)...0x90 {
      let vector = Vector(rawValue: number)
      try test.setRedirection(pin: 0, RedirectionEntry(vector: vector, destination: test[vcpu: 0].destination))
      let start = try test[vcpu: 0].readTSC()
      try test.stimulus { try test.setPIT(.interruptOnTerminalCount, count: count) }
      let state = try test.hop()
      // One that is over counts anew: KVM tells nobody.
      let isOver = test.taken(vector, on: 0) > 0 || state.vcpus[0].localAPIC.interruptRequest.contains(vector)
      if isOver { continue }
      let moment = try test.moments(of: vector, on: 0, atLeast: 1)[0]
      try test.checkNotEarly(moment, from: start, after: test.cycles(pitCounts: UInt64(count)))
      try test.fence(0)
      return try test.expect(1, of: vector, on: 0)
    }
    throw ScenarioFailure("the host is too slow: the PIT's 50 ms were over before every hop")
  }

  /// Counting again and again.
  static let snapshotPITPeriodic = Scenario(
    "snapshot.pit.periodic", "A PIT that ticks does so after restores with the count that the guest gave it",
    exercises: ["kvm_vm_ioctl_get_pit2", "kvm_vm_ioctl_set_pit2", "pit_do_work", "KVM_SET_PIT2"],
    needs: [.capability(.pit2)]
  ) { test in
    let count: UInt16 = 4772
    try test.maskLINT0()
    try test.setRedirection(pin: 0, RedirectionEntry(vector: 0x56, destination: test[vcpu: 0].destination))
    let start = try test[vcpu: 0].readTSC()
    try test.stimulus { try test.setPIT(.rateGenerator, count: count) }
    var moments: [UInt64] = []
    for hop in 1...4 {
      moments += try test.moments(of: 0x56, on: 0, atLeast: 2)
      let state = try test.hop()
      try test.check("the mode at hop \(hop)", state.pit?.channel0.mode, equals: PIT.Mode.rateGenerator.rawValue)
      try test.check("the count at hop \(hop)", state.pit?.channel0.count, equals: UInt32(count))
    }
    moments += try test.moments(of: 0x56, on: 0, atLeast: 3)
    try test.setPIT(.hardwareStrobe, count: 0)
    try test.checkTicksNotEarly(moments, from: start, period: test.cycles(pitCounts: UInt64(count)))
  }
}
