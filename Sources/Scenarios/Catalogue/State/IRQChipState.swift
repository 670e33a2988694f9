import APIC
import KVM
import SystemPackage
import VMM

/// KVM_GET_IRQCHIP and KVM_SET_IRQCHIP, and the PIT's calls.
extension Scenario {
  /// The IOAPIC.
  static let ioapicState = Scenario(
    "state.irqchip.ioapic", "KVM_SET_IRQCHIP programs the IOAPIC, and KVM_GET_IRQCHIP gives back what the guest wrote",
    exercises: ["kvm_get_ioapic", "kvm_set_ioapic", "KVM_GET_IRQCHIP", "KVM_SET_IRQCHIP"]
  ) { test in
    let entry = RedirectionEntry(vector: 0x84, destination: test[vcpu: 0].destination)
    try test.setRedirection(pin: 21, RedirectionEntry(vector: 0x85, destination: .physical(3), isMasked: true))
    var state = try test.vm.ioapic()
    try test.check("the entry that the guest wrote", state.entries[21].vector, equals: 0x85)
    try test.check("where the IOAPIC is", state.baseAddress, equals: IOAPIC.defaultAddress)
    state.entries[20] = entry
    state.id = 3
    try test.stimulus { try test.vm.setIOAPIC(state) }
    try test.check("the state read back", try test.vm.ioapic().entries, equals: state.entries)
    try test.check("the entry that the guest reads", try test.redirection(pin: 20), equals: entry)
    try test.check("the id that the guest reads", try test.readIOAPIC(.id), equals: 0x0300_0000)
    try test.setLine(20, to: true)
    try test.expect(1, of: 0x84, on: 0)
  }

  /// A request that a migration finds waiting at the IOAPIC.
  static let ioapicPendingState = Scenario(
    "state.irqchip.ioapic-pending", "A pin that KVM_SET_IRQCHIP sets with a request interrupts",
    exercises: ["kvm_set_ioapic", "kvm_ioapic_inject_all", "KVM_SET_IRQCHIP"]
  ) { test in
    var state = try test.vm.ioapic()
    state.entries[20] = RedirectionEntry(vector: 0x86, destination: test[vcpu: 0].destination)
    state.irr = 1 << 20
    try test.stimulus { try test.vm.setIOAPIC(state) }
    try test.expect(1, of: 0x86, on: 0)
  }

  /// The PICs.
  static let picState = Scenario(
    "state.irqchip.pic",
    "A PIC that KVM_SET_IRQCHIP sets with a request interrupts, and KVM_GET_IRQCHIP shows the rest",
    exercises: ["kvm_pic_update_irq", "KVM_GET_IRQCHIP", "KVM_SET_IRQCHIP"]
  ) { test in
    try test.programPIC(master: 0x40, slave: 0x48, lines: [])
    var state = try test.vm.pic(.master)
    try test.check("the vectors that the guest set", state.irqBase, equals: 0x40)
    try test.check("the mask that the guest set", state.imr, equals: 0xfb)
    try test.check("the slave's vectors", try test.vm.pic(.slave).irqBase, equals: 0x48)
    state.imr = 0
    state.irr = 1 << 6
    try test.stimulus { try test.vm.setPIC(.master, state) }
    try test.expect(1, of: 0x46, on: 0)
    try test.check("in service", try test.vm.pic(.master).isr, equals: 1 << 6)
  }

  /// The PIT.
  static let pitState = Scenario(
    "state.pit", "KVM_SET_PIT2 starts a counter with the mode and count that it is given",
    exercises: ["kvm_vm_ioctl_set_pit2", "kvm_vm_ioctl_get_pit2", "kvm_pit_load_count", "KVM_SET_PIT2"]
  ) { test in
    try test.expectRefusal("KVM_GET_PIT2 without a PIT", .noSuchAddressOrDevice) { () throws(KVMError) in
      _ = try test.vm.pit()
    }
    try test.maskLINT0()
    // The machine makes its PIT when the guest first touches one of its ports.
    _ = try test[vcpu: 0].readPort(PIT.systemControlPort)
    try test.expectRefusal("a second KVM_CREATE_PIT2", .fileExists) { () throws(KVMError) in
      try test.vm.createPIT()
    }
    try test.setRedirection(pin: 0, RedirectionEntry(vector: 0x87, destination: test[vcpu: 0].destination))
    var state = try test.vm.pit()
    state.channel0.mode = 2
    state.channel0.readWriteMode = 3
    state.channel0.count = 11932
    try test.stimulus { try test.vm.setPIT(state) }
    let after = try test.vm.pit()
    try test.check("the mode read back", after.channel0.mode, equals: 2)
    try test.check("the count read back", after.channel0.count, equals: 11932)
    try test.expectAtLeast(3, of: 0x87, on: 0)
  }
}
