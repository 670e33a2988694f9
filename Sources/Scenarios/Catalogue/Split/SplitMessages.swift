import APIC
import KVM
import SystemPackage
import VMM

/// What a split irqchip still has in the kernel, and what it has not.
extension Scenario {
  /// MSIs, without a route and by one.
  static let splitMessages = Scenario(
    "split.msi", "A split irqchip takes MSIs: signalled, by a route's line, and by its irqfd", vcpus: 2,
    exercises: ["kvm_send_userspace_msi", "kvm_set_msi", "KVM_IRQFD", "KVM_SET_GSI_ROUTING"],
    configure: useSplitIRQChip
  ) { stage in
    let event = try EventDescriptor()
    try stage.machine.interrupts.route(30, to: MSIMessage(vector: 0x72, destination: stage[vcpu: 1].destination))
    try stage.vm.assignIRQFD(event, gsi: 30)
    try stage[vcpu: 1].halt()
    try stage.stimulus {
      try stage.signal(MSIMessage(vector: 0x71, destination: stage[vcpu: 1].destination))
      try stage.expect(1, of: 0x71, on: 1)
      try stage.check("the routed line answers", try stage.setLine(30, to: true), equals: .delivered(1))
      try stage.expect(1, of: 0x72, on: 1)
      try event.write()
    }
    try stage.expect(2, of: 0x72, on: 1)
    try stage.vm.deassignIRQFD(event, gsi: 30)
  }

  /// The routes of the IOAPIC's pins are for EOIs, and yet real routes.
  static let splitPinIRQFD = Scenario(
    "split.pin-irqfd", "An irqfd on a pin of an IOAPIC in user space sends what the pin's route says",
    exercises: ["irqfd_wakeup", "kvm_arch_set_irq_inatomic", "KVM_SET_GSI_ROUTING"], configure: useSplitIRQChip
  ) { stage in
    let event = try EventDescriptor()
    try stage.setRedirection(pin: 10, RedirectionEntry(vector: 0x73, destination: stage[vcpu: 0].destination))
    try stage.vm.assignIRQFD(event, gsi: 10)
    try stage.stimulus { try event.write() }
    try stage.expect(1, of: 0x73, on: 0)
    try stage.vm.deassignIRQFD(event, gsi: 10)
  }

  /// Chips that are not there.
  static let splitRefusals = Scenario(
    "split.refusals", "With a split irqchip KVM has no IOAPIC, PIC or PIT to read or to set",
    exercises: ["KVM_GET_IRQCHIP", "KVM_SET_IRQCHIP", "KVM_GET_PIT2", "KVM_CREATE_IRQCHIP"],
    configure: useSplitIRQChip
  ) { stage in
    let vm = stage.vm
    try stage.expectRefusal("KVM_GET_IRQCHIP of the IOAPIC", .noSuchAddressOrDevice) { () throws(KVMError) in
      _ = try vm.ioapic()
    }
    try stage.expectRefusal("KVM_GET_IRQCHIP of a PIC", .noSuchAddressOrDevice) { () throws(KVMError) in
      _ = try vm.pic(.master)
    }
    try stage.expectRefusal("KVM_SET_IRQCHIP of a PIC", .noSuchAddressOrDevice) { () throws(KVMError) in
      try vm.setPIC(.slave, PICState())
    }
    try stage.expectRefusal("KVM_GET_PIT2", .noSuchAddressOrDevice) { () throws(KVMError) in _ = try vm.pit() }
    try stage.expectRefusal("KVM_CREATE_IRQCHIP", .fileExists) { () throws(KVMError) in try vm.createIRQChip() }
    try stage.expectRefusal("a route to an IOAPIC pin", .invalidArgument) { () throws(KVMError) in
      try vm.setGSIRouting([.irqChip(gsi: 3, chip: .ioapic, pin: 3)])
    }
  }

  /// A PIC in user space.
  static let splitUserPIC = Scenario(
    "split.user-pic", "With a split irqchip KVM_INTERRUPT is the PIC's: taken through LINT0, one at a time",
    exercises: ["kvm_vcpu_ioctl_interrupt", "pending_userspace_extint", "kvm_cpu_get_extint", "KVM_INTERRUPT"],
    configure: useSplitIRQChip
  ) { stage in
    let vcpu = stage[vcpu: 0]
    try vcpu.handle(0x74, [])
    try vcpu.disableInterrupts()
    try stage.stimulus { try stage.machine.outside(0) { vcpu throws(KVMError) in try vcpu.interrupt(0x74) } }
    try stage.expectRefusal("a second interrupt", .fileExists) { () throws(KVMError) in
      try stage.machine.outside(0) { vcpu throws(KVMError) in try vcpu.interrupt(0x75) }
    }
    try vcpu.enableInterrupts()
    try stage.expect(1, of: 0x74, on: 0)
    try stage.expectNone(of: 0x75, on: 0)
  }
}
