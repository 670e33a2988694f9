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
  ) { stage in
    let entry = RedirectionEntry(vector: 0x84, destination: stage[vcpu: 0].destination)
    try stage.setRedirection(pin: 21, RedirectionEntry(vector: 0x85, destination: .physical(3), isMasked: true))
    var state = try stage.vm.ioapic()
    try stage.check("the entry that the guest wrote", state.entries[21].vector, equals: 0x85)
    try stage.check("where the IOAPIC is", state.baseAddress, equals: IOAPIC.defaultAddress)
    state.entries[20] = entry
    state.id = 3
    try stage.stimulus { try stage.vm.setIOAPIC(state) }
    try stage.check("the state read back", try stage.vm.ioapic().entries, equals: state.entries)
    try stage.check("the entry that the guest reads", try stage.redirection(pin: 20), equals: entry)
    try stage.check("the id that the guest reads", try stage.readIOAPIC(.id), equals: 0x0300_0000)
    try stage.setLine(20, to: true)
    try stage.expect(1, of: 0x84, on: 0)
  }

  /// A request that a migration finds waiting at the IOAPIC.
  static let ioapicPendingState = Scenario(
    "state.irqchip.ioapic-pending", "A pin that KVM_SET_IRQCHIP sets with a request interrupts",
    exercises: ["kvm_set_ioapic", "kvm_ioapic_inject_all", "KVM_SET_IRQCHIP"]
  ) { stage in
    var state = try stage.vm.ioapic()
    state.entries[20] = RedirectionEntry(vector: 0x86, destination: stage[vcpu: 0].destination)
    state.irr = 1 << 20
    try stage.stimulus { try stage.vm.setIOAPIC(state) }
    try stage.expect(1, of: 0x86, on: 0)
  }

  /// The PICs.
  static let picState = Scenario(
    "state.irqchip.pic",
    "A PIC that KVM_SET_IRQCHIP sets with a request interrupts, and KVM_GET_IRQCHIP shows the rest",
    exercises: ["kvm_pic_update_irq", "KVM_GET_IRQCHIP", "KVM_SET_IRQCHIP"]
  ) { stage in
    try stage.programPIC(master: 0x40, slave: 0x48, lines: [])
    var state = try stage.vm.pic(.master)
    try stage.check("the vectors that the guest set", state.irqBase, equals: 0x40)
    try stage.check("the mask that the guest set", state.imr, equals: 0xfb)
    try stage.check("the slave's vectors", try stage.vm.pic(.slave).irqBase, equals: 0x48)
    state.imr = 0
    state.irr = 1 << 6
    try stage.stimulus { try stage.vm.setPIC(.master, state) }
    try stage.expect(1, of: 0x46, on: 0)
    try stage.check("in service", try stage.vm.pic(.master).isr, equals: 1 << 6)
  }

  /// The PIT.
  static let pitState = Scenario(
    "state.pit", "KVM_SET_PIT2 starts a counter with the mode and count that it is given",
    exercises: ["kvm_vm_ioctl_set_pit2", "kvm_vm_ioctl_get_pit2", "kvm_pit_load_count", "KVM_SET_PIT2"]
  ) { stage in
    try stage.expectRefusal("KVM_GET_PIT2 without a PIT", .noSuchAddressOrDevice) { () throws(KVMError) in
      _ = try stage.vm.pit()
    }
    try stage.maskLINT0()
    // The machine makes its PIT when the guest first touches one of its ports.
    _ = try stage[vcpu: 0].readPort(PIT.systemControlPort)
    try stage.expectRefusal("a second KVM_CREATE_PIT2", .fileExists) { () throws(KVMError) in
      try stage.vm.createPIT()
    }
    try stage.setRedirection(pin: 0, RedirectionEntry(vector: 0x87, destination: stage[vcpu: 0].destination))
    var state = try stage.vm.pit()
    state.channel0.mode = 2
    state.channel0.readWriteMode = 3
    state.channel0.count = 11932
    try stage.stimulus { try stage.vm.setPIT(state) }
    let after = try stage.vm.pit()
    try stage.check("the mode read back", after.channel0.mode, equals: 2)
    try stage.check("the count read back", after.channel0.count, equals: 11932)
    try stage.expectAtLeast(3, of: 0x87, on: 0)
  }
}
