import APIC
import KVM
import VMM

extension Scenario {
  /// Through the PIC and LINT0.
  static let pitPIC = Scenario(
    "pit.pic", "The PIT interrupts through the PIC, period after period",
    exercises: ["pit_timer_fn", "pit_do_work", "kvm_pic_set_irq", "kvm_apic_accept_pic_intr"],
    needs: [.capability(.pit2)]
  ) { test in
    try test.routePITThroughPIC()
    try test.stimulus { try test.setPIT(.rateGenerator, count: pitPeriod) }
    try test.until("it fires again and again") { test.machine.recorded(pitVector, on: 0) >= 3 }
    try test.setPIT(.hardwareStrobe, count: 0)
  }

  /// Through the IOAPIC.
  static let pitIOAPIC = Scenario(
    "pit.ioapic", "The PIT interrupts through the IOAPIC, period after period", vcpus: 2,
    exercises: ["pit_do_work", "kvm_ioapic_set_irq", "kvm_pit_ack_irq"], needs: [.capability(.pit2)]
  ) { test in
    try test[vcpu: 0].write(.lvtLINT0, LVTEntry.masked.rawValue)
    // KVM wires GSI 0 to pin 0 (default_routing); the override to pin 2 is ACPI's and user space's.
    try test.setRedirection(pin: 0, RedirectionEntry(vector: 0x61, destination: test[vcpu: 1].destination))
    try test.stimulus { try test.setPIT(.rateGenerator, count: pitPeriod) }
    try test.until("it fires again and again") { test.machine.recorded(0x61, on: 1) >= 3 }
    try test.setPIT(.hardwareStrobe, count: 0)
    try test.expectNone(of: 0x61, on: 0)
  }

  /// Mode 0.
  static let pitOneShot = Scenario(
    "pit.one-shot", "The PIT interrupts once on terminal count",
    exercises: ["pit_load_count", "create_pit_timer", "pit_timer_fn"], needs: [.capability(.pit2)]
  ) { test in
    try test.routePITThroughPIC()
    try test.stimulus { try test.setPIT(.interruptOnTerminalCount, count: 1200) }
    try test.expect(1, of: pitVector, on: 0)
  }

  /// Through the PIC into HLT.
  static let pitHalt = Scenario(
    "pit.halt", "The PIT wakes a halted vCPU through the PIC",
    exercises: ["kvm_cpu_has_extint", "kvm_vcpu_block", "pic_unlock"],
    needs: [.capability(.pit2), .trait(.enteredShadow)]
  ) { test in
    try test.routePITThroughPIC()
    // Held off until the HLT, so that it cannot come before it and leave the vCPU asleep.
    try test[vcpu: 0].disableInterrupts()
    try test.stimulus { try test.setPIT(.interruptOnTerminalCount, count: 12_000) }
    try test[vcpu: 0].haltUntilWoken()
    try test[vcpu: 0].enableInterrupts()
    try test.expect(1, of: pitVector, on: 0)
  }

  /// Through a route to a message. Nothing acknowledges that, so there is no reinjection.
  static let pitMSI = Scenario(
    "pit.msi", "The PIT interrupts through an MSI, where GSI 0 is routed to one", vcpus: 2,
    exercises: ["pit_do_work", "kvm_set_irq", "KVM_SET_GSI_ROUTING", "KVM_REINJECT_CONTROL"],
    needs: [.capability(.pit2), .capability(.reinjectControl)]
  ) { test in
    try test.setPIT(.hardwareStrobe, count: 0)
    try test.vm.setPITReinjection(false)
    let message = MSIMessage(vector: 0x71, destination: test[vcpu: 1].destination)
    try test.stimulus { try test.machine.interrupts.route(0, to: message) }
    try test.setPIT(.rateGenerator, count: pitPeriod)
    try test.until("it fires again and again") { test.machine.recorded(0x71, on: 1) >= 3 }
    try test.setPIT(.hardwareStrobe, count: 0)
  }

  /// Ticks that the guest could not take, delivered late.
  static let pitReinjected = Scenario(
    "pit.reinjected", "With reinjection every tick of the PIT that was held off comes later",
    exercises: ["KVM_REINJECT_CONTROL", "kvm_pit_ack_irq", "pit_do_work"],
    needs: [.capability(.pit2), .capability(.reinjectControl)]
  ) { test in
    let (least, most) = try test.holdOffTicks(reinjects: true)
    try test.expectAtLeast(least, of: pitVector, on: 0)
    // Each tick that KVM has kept is due with the end of the one before, and stopping the chip waits until it is raised
    // (destroy_pit_timer). So no more are kept once one round brings none.
    var taken: Int
    repeat {
      taken = test.taken(pitVector, on: 0)
      try test.setPIT(.hardwareStrobe, count: 0)
      try test.fence(0)
    } while test.taken(pitVector, on: 0) > taken
    test.note("ticks held off and delivered later", taken)
    try test.check("at most \(most) ticks come", taken <= most, saw: taken)
  }

  /// Ticks that the guest could not take, dropped.
  static let pitDropped = Scenario(
    "pit.dropped", "Without reinjection ticks of the PIT that were held off are one interrupt",
    exercises: ["KVM_REINJECT_CONTROL", "kvm_pit_set_reinject", "pit_do_work"],
    needs: [.capability(.pit2), .capability(.reinjectControl)]
  ) { test in
    _ = try test.holdOffTicks(reinjects: false)
    try test.expect(1, of: pitVector, on: 0)
    // A tick that KVM had kept is due with the end of the first, and stopping the chip waits until it is raised
    // (destroy_pit_timer).
    try test.setPIT(.hardwareStrobe, count: 0)
    try test.expect(1, of: pitVector, on: 0)
  }
}

extension Scenario {
  /// What KVM does unless it is told otherwise. Its want of acknowledgements is a reason to keep AVIC off
  /// (APICV_INHIBIT_REASON_PIT_REINJ), which kvm_amd alone heeds: kvm_intel keeps APICv, as an EOI of the PIT's vector leaves
  /// the guest there.
  static let pitLazy = Scenario(
    "pit.default", "A PIT that nobody tells otherwise reinjects ticks, and APICv takes no harm from it",
    exercises: ["kvm_create_pit", "kvm_pit_set_reinject", "APICV_INHIBIT_REASON_PIT_REINJ", "kvm_pit_ack_irq"],
    needs: [.capability(.pit2), .capability(.reinjectControl)], path: .virtualDeliveryOrSoftware
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.write(.lvtLINT0, LVTEntry.masked.rawValue)
    try test.setRedirection(pin: 0, RedirectionEntry(vector: 0x62, destination: vcpu.destination))
    try vcpu.disableInterrupts()
    try test.stimulus { try test.setPIT(.rateGenerator, count: pitPeriod) }
    let period = test.cycles(pitCounts: UInt64(pitPeriod))
    try vcpu.untilPast(try vcpu.readTSC() + 5 * period)
    try test.setPIT(.hardwareStrobe, count: 0)
    try vcpu.enableInterrupts()
    try test.expectAtLeast(4, of: 0x62, on: 0)
  }
}

/// 4 ms.
private let pitPeriod: UInt16 = 4773
/// Where the PIC has IRQ 0.
private let pitVector: Vector = 0x30

extension TestContext {
  /// Programs the PIC so that IRQ 0, and no other, interrupts the bootstrap processor and ends by itself.
  fileprivate func routePITThroughPIC() throws {
    let vcpu = self[vcpu: 0]
    let chip = PIC.Chip.master
    try vcpu.writePort(chip.commandPort, UInt32(PIC.InitializationCommand1().rawValue))
    try vcpu.writePort(chip.dataPort, UInt32(pitVector.rawValue))
    try vcpu.writePort(chip.dataPort, UInt32(chip.cascade))
    try vcpu.writePort(chip.dataPort, UInt32(PIC.InitializationCommand4(endsAutomatically: true).rawValue))
    try vcpu.writePort(chip.dataPort, 0xfe)
    try vcpu.write(.lvtLINT0, LVTEntry.pin(0, deliveryMode: .external).rawValue)
  }

  /// Lets the PIT tick while interrupts are held off, stops it, and lets them in.
  ///
  /// - Returns: how many ticks there were, at least and at most.
  fileprivate func holdOffTicks(reinjects: Bool) throws -> (least: Int, most: Int) {
    let vcpu = self[vcpu: 0]
    let period = cycles(pitCounts: UInt64(pitPeriod))
    try routePITThroughPIC()
    // The PIC ends it by itself. An EOI with nothing in service would go to every pin of the IOAPIC whose entry still has
    // vector 0, under APICv, and acknowledge a tick (kvm_apic_set_eoi_accelerated, kvm_ioapic_update_eoi).
    try vcpu.handle(pitVector, [])
    // The chip exists from the first access on. Mode 5 has it do nothing yet.
    try setPIT(.hardwareStrobe, count: 0)
    try vm.setPITReinjection(!reinjects)
    try vcpu.disableInterrupts()
    try stimulus { try vm.setPITReinjection(reinjects) }
    let beforeStart = try vcpu.readTSC()
    try setPIT(.rateGenerator, count: pitPeriod)
    let afterStart = try vcpu.readTSC()
    try vcpu.untilPast(afterStart + 8 * period)
    let beforeStop = try vcpu.readTSC()
    // Any mode that counts would forget the ticks.
    try setPIT(.hardwareStrobe, count: 0)
    let afterStop = try vcpu.readTSC()
    try vcpu.enableInterrupts()
    return (Int((beforeStop &- afterStart) / period) - 1, Int((afterStop &- beforeStart) / period) + 2)
  }
}
