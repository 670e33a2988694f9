import APIC
import KVM
import SystemPackage
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

extension Scenario {
  /// The split irqchip.
  static let splitIRQChips: [Scenario] =
    [
      splitEOIElsewhere, splitMessages, splitPinIRQFD, splitRefusals, splitUserPIC, splitDirectedEOI,
      splitBroadcastEOI,
    ] + ioapic.map(\.onSplitIRQChip)

  /// Leaves only the local APICs in the kernel.
  static func useSplitIRQChip(_ configuration: inout MachineConfiguration) { configuration.irqChip = .split }

  /// The same scenario, with the same expectations, on an IOAPIC in user space: `split.ioapic.edge` for `lines.ioapic.edge`.
  private var onSplitIRQChip: Scenario { onSplitIRQChip(as: "split" + id.drop { $0 != "." }) }

  /// The same scenario there under another name.
  func onSplitIRQChip(as id: String) -> Scenario {
    let made = configuration
    return Scenario(
      id, title + ", split", modes: modes, vcpus: made.vcpus,
      preparation: preparation, exercises: ["KVM_CAP_SPLIT_IRQCHIP", "kvm_send_userspace_msi"] + levelCalls,
      needs: needs + [.feature(.splitIRQChip)], path: path, sabotage: sabotage, hooks: hooks,
      configure: { configuration in
        configuration = made
        configuration.irqChip = .split
      }, body: body)
  }

  /// What KVM does besides for a level-triggered pin that is not its own.
  private var levelCalls: [String] {
    exercises.contains { $0.contains("_eoi") }
      ? ["kvm_ioapic_send_eoi", "vcpu_scan_ioapic", "kvm_scan_ioapic_routes", "KVM_EXIT_IOAPIC_EOI"] : []
  }
}

/// EOIs that are not broadcast to IOAPICs (SDM volume 3A, section 12.8.5).
extension Scenario {
  /// Suppression that the owner allows and the guest uses.
  static let splitDirectedEOI = Scenario(
    "split.directed-eoi",
    "Where EOI broadcasts are suppressed, only the IOAPIC's own EOI register ends a level interrupt",
    modes: [.x2APIC],
    exercises: ["kvm_ioapic_send_eoi", "kvm_lapic_suppress_eoi_broadcast", "KVM_CAP_X2APIC_API", "SDM 3A 12.8.5"],
    needs: [.feature(.suppressEOIBroadcast)],
    hooks: MachineHooks(prepare: { vm throws(KVMError) in
      try vm.enableX2APICAPI([.use32BitIDs, .disableBroadcastQuirk, .enableSuppressEOIBroadcast])
    }),
    configure: useSplitIRQChip
  ) { test in
    let vcpu = test[vcpu: 0]
    let version = LocalAPICVersion(rawValue: try vcpu.read(.version))
    try test.check("the local APIC can suppress EOI broadcasts", version.supportsEOIBroadcastSuppression)
    try test.setRedirection(
      pin: 11, RedirectionEntry(vector: 0x76, destination: vcpu.destination, triggerMode: .level))
    try test.stimulus {
      try vcpu.write(.spurious, SpuriousInterruptVectorRegister(suppressesEOIBroadcast: true).rawValue)
    }
    try test.setLine(11, to: true)
    try test.expect(1, of: 0x76, on: 0)
    try test.fence(0)
    try test.check("remote IRR outlasts the local EOI", try test.redirection(pin: 11).remoteIRR)
    try vcpu.writeMemory(IOAPIC.defaultAddress + IOAPIC.endOfInterruptOffset, 0x76)
    try test.expect(2, of: 0x76, on: 0)
    try test.setLine(11, to: false)
    try vcpu.writeMemory(IOAPIC.defaultAddress + IOAPIC.endOfInterruptOffset, 0x76)
    try test.check("remote IRR is clear", try !test.redirection(pin: 11).remoteIRR)
    try test.expect(2, of: 0x76, on: 0)
  }

  /// Suppression that the owner does not allow.
  static let splitBroadcastEOI = Scenario(
    "split.broadcast-eoi", "Where the owner forbids it, no local APIC suppresses EOI broadcasts", modes: [.x2APIC],
    exercises: ["kvm_apic_set_version", "kvm_ioapic_send_eoi", "KVM_CAP_X2APIC_API"],
    needs: [.feature(.suppressEOIBroadcast)],
    hooks: MachineHooks(prepare: { vm throws(KVMError) in
      try vm.enableX2APICAPI([.use32BitIDs, .disableBroadcastQuirk, .disableSuppressEOIBroadcast])
    }),
    configure: useSplitIRQChip
  ) { test in
    let vcpu = test[vcpu: 0]
    let version = LocalAPICVersion(rawValue: try vcpu.read(.version))
    try test.check("the local APIC cannot suppress EOI broadcasts", !version.supportsEOIBroadcastSuppression)
    try vcpu.handle(0x77, [.lowers, .acknowledges], parameter: 11)
    try test.setRedirection(
      pin: 11, RedirectionEntry(vector: 0x77, destination: vcpu.destination, triggerMode: .level))
    try vcpu.write(.spurious, SpuriousInterruptVectorRegister(suppressesEOIBroadcast: true).rawValue)
    try test.stimulus { try test.setLine(11, to: true) }
    try test.expectAtLeast(1, of: 0x77, on: 0)
    try test.until("the EOI has come") { try !test.redirection(pin: 11).remoteIRR }
  }
}

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
