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
  ) { test in
    let event = try EventDescriptor()
    try test.machine.interrupts.route(30, to: MSIMessage(vector: 0x72, destination: test[vcpu: 1].destination))
    try test.vm.assignIRQFD(event, gsi: 30)
    try test[vcpu: 1].halt()
    try test.stimulus {
      try test.signal(MSIMessage(vector: 0x71, destination: test[vcpu: 1].destination))
      try test.expect(1, of: 0x71, on: 1)
      try test.check("the routed line answers", try test.setLine(30, to: true), equals: .delivered(1))
      try test.expect(1, of: 0x72, on: 1)
      try event.write()
    }
    try test.expect(2, of: 0x72, on: 1)
    try test.vm.deassignIRQFD(event, gsi: 30)
  }

  /// The routes of the IOAPIC's pins are for EOIs, and yet real routes.
  static let splitPinIRQFD = Scenario(
    "split.pin-irqfd", "An irqfd on a pin of an IOAPIC in user space sends what the pin's route says",
    exercises: ["irqfd_wakeup", "kvm_arch_set_irq_inatomic", "KVM_SET_GSI_ROUTING"], configure: useSplitIRQChip
  ) { test in
    let event = try EventDescriptor()
    try test.setRedirection(pin: 10, RedirectionEntry(vector: 0x73, destination: test[vcpu: 0].destination))
    try test.vm.assignIRQFD(event, gsi: 10)
    try test.stimulus { try event.write() }
    try test.expect(1, of: 0x73, on: 0)
    try test.vm.deassignIRQFD(event, gsi: 10)
  }

  /// Chips that are not there.
  static let splitRefusals = Scenario(
    "split.refusals", "With a split irqchip KVM has no IOAPIC, PIC or PIT to read or to set",
    exercises: ["KVM_GET_IRQCHIP", "KVM_SET_IRQCHIP", "KVM_GET_PIT2", "KVM_CREATE_IRQCHIP"],
    configure: useSplitIRQChip
  ) { test in
    let vm = test.vm
    try test.expectRefusal("KVM_GET_IRQCHIP of the IOAPIC", .noSuchAddressOrDevice) { () throws(KVMError) in
      _ = try vm.ioapic()
    }
    try test.expectRefusal("KVM_GET_IRQCHIP of a PIC", .noSuchAddressOrDevice) { () throws(KVMError) in
      _ = try vm.pic(.master)
    }
    try test.expectRefusal("KVM_SET_IRQCHIP of a PIC", .noSuchAddressOrDevice) { () throws(KVMError) in
      try vm.setPIC(.slave, PICState())
    }
    try test.expectRefusal("KVM_GET_PIT2", .noSuchAddressOrDevice) { () throws(KVMError) in _ = try vm.pit() }
    try test.expectRefusal("KVM_CREATE_IRQCHIP", .fileExists) { () throws(KVMError) in try vm.createIRQChip() }
    try test.expectRefusal("a route to an IOAPIC pin", .invalidArgument) { () throws(KVMError) in
      try vm.setGSIRouting([.irqChip(gsi: 3, chip: .ioapic, pin: 3)])
    }
  }

  /// A PIC in user space.
  static let splitUserPIC = Scenario(
    "split.user-pic", "With a split irqchip KVM_INTERRUPT is the PIC's: taken through LINT0, one at a time",
    exercises: ["kvm_vcpu_ioctl_interrupt", "pending_userspace_extint", "kvm_cpu_get_extint", "KVM_INTERRUPT"],
    configure: useSplitIRQChip
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.handle(0x74, [])
    try vcpu.disableInterrupts()
    try test.stimulus { try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.interrupt(0x74) } }
    try test.expectRefusal("a second interrupt", .fileExists) { () throws(KVMError) in
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.interrupt(0x75) }
    }
    try vcpu.enableInterrupts()
    try test.expect(1, of: 0x74, on: 0)
    try test.expectNone(of: 0x75, on: 0)
  }
}
