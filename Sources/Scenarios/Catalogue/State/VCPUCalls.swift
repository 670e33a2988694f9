import APIC
import KVM
import SystemPackage
import VMM

/// KVM_GET_MP_STATE, KVM_GET_VCPU_EVENTS, KVM_NMI and KVM_INTERRUPT.
extension Scenario {
  /// A halted vCPU.
  static let mpState = Scenario(
    "state.mp.halted", "KVM_GET_MP_STATE tells a halted vCPU, and KVM_SET_MP_STATE lets it go on", vcpus: 2,
    exercises: ["kvm_arch_vcpu_ioctl_get_mpstate", "kvm_arch_vcpu_ioctl_set_mpstate", "KVM_SET_MP_STATE"]
  ) { test in
    func state(_ index: Int) throws -> MPState {
      try test.machine.withVCPUStopped(index) { vcpu throws(KVMError) in try vcpu.mpState() }
    }
    try test.check("a running vCPU's state", try state(0), equals: .runnable)
    try test[vcpu: 1].haltMasked()
    try test.check("a halted vCPU's state", try state(1), equals: .halted)
    try test.check("it stays halted", try !test[vcpu: 1].isIdle())
    try test.stimulus {
      try test.machine.withVCPUStopped(1) { vcpu throws(KVMError) in try vcpu.setMPState(.runnable) }
    }
    try test[vcpu: 1].finishHalt()
    try test.check("its state", try state(1), equals: .runnable)
  }

  /// Application processors before their start.
  static let mpStateUninitialized = Scenario(
    "state.mp.uninitialized", "An application processor is uninitialized until INIT and SIPI make it runnable",
    vcpus: 2,
    preparation: .bootstrapOnly,
    exercises: ["kvm_arch_vcpu_ioctl_get_mpstate", "kvm_apic_accept_events", "KVM_GET_MP_STATE"]
  ) { test in
    func state() throws -> MPState {
      try test.machine.withVCPUStopped(1) { vcpu throws(KVMError) in try vcpu.mpState() }
    }
    try test.check("its state before", try state(), equals: .uninitialized)
    try test[vcpu: 0].send(.initialize(to: test[vcpu: 1].destination))
    try test.until("it has got INIT") { try state() == .initReceived }
    try test.stimulus { try test[vcpu: 0].startProcessors() }
    try test.until("the agent has started on it") { try test[vcpu: 1].starts() > 0 }
    try test.check("its state after", try state(), equals: .runnable)
  }

  /// A non-maskable interrupt that waits.
  static let eventsNMI = Scenario(
    "state.events.nmi", "A pending NMI that KVM_SET_VCPU_EVENTS sets is delivered", vcpus: 2,
    exercises: ["kvm_vcpu_ioctl_x86_set_vcpu_events", "inject_nmi", "KVM_SET_VCPU_EVENTS"]
  ) { test in
    try test[vcpu: 1].haltMasked()
    try test.stimulus {
      try test.machine.withVCPUStopped(1) { vcpu throws(KVMError) in
        var events = try vcpu.events()
        events.nmi.pending = 1
        try vcpu.setEvents(events)
      }
    }
    try test.expect(1, of: 2, on: 1)
    try test[vcpu: 1].finishHalt()
    let events = try test.machine.withVCPUStopped(1) { vcpu throws(KVMError) in try vcpu.events() }
    try test.check("NMIs that wait afterwards", events.nmi.pending, equals: 0)
  }

  /// NMIs that are blocked.
  static let eventsNMIMasked = Scenario(
    "state.events.nmi-masked", "An NMI waits while KVM_SET_VCPU_EVENTS says that they are blocked", vcpus: 1,
    exercises: ["kvm_vcpu_ioctl_x86_set_vcpu_events", "vmx_set_nmi_mask", "KVM_SET_VCPU_EVENTS"]
  ) { test in
    func setMasked(_ isMasked: Bool) throws {
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
        var events = try vcpu.events()
        events.nmi.masked = isMasked
        try vcpu.setEvents(events)
      }
    }
    try setMasked(true)
    try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.nmi() }
    try test.expectHeld(2, on: 0, by: "the NMIs' mask")
    try test.stimulus { try setMasked(false) }
    try test.expect(1, of: 2, on: 0)
  }

  /// An interrupt that was being delivered.
  static let eventsInjected = Scenario(
    "state.events.injected", "An interrupt that KVM_SET_VCPU_EVENTS says is being delivered is delivered",
    exercises: ["kvm_vcpu_ioctl_x86_set_vcpu_events", "kvm_reinject", "KVM_SET_VCPU_EVENTS"]
  ) { test in
    try test[vcpu: 0].handle(0x88, [])
    try test.stimulus {
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
        var events = try vcpu.events()
        events.interrupt.injected = true
        events.interrupt.number = 0x88
        try vcpu.setEvents(events)
      }
    }
    try test.expect(1, of: 0x88, on: 0)
  }

  /// Events that cannot be.
  static let eventsRefused = Scenario(
    "state.events.refused", "KVM_SET_VCPU_EVENTS refuses exceptions that cannot be, and gives its own state back",
    exercises: ["kvm_vcpu_ioctl_x86_set_vcpu_events", "KVM_SET_VCPU_EVENTS"]
  ) { test in
    for number in [UInt8(2), 32] {
      try test.expectRefusal("exception \(number)", .invalidArgument) { () throws(KVMError) in
        try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
          var events = try vcpu.events()
          events.exception.injected = true
          events.exception.number = number
          try vcpu.setEvents(events)
        }
      }
    }
    let (before, after) = try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
      let before = try vcpu.events()
      try vcpu.setEvents(before)
      return (before, try vcpu.events())
    }
    try test.check("events set unchanged", after, equals: before)
    try test.check("no exception is left", after.exception.injected, equals: false)
  }

  /// NMIs from outside.
  static let nmiFromOutside = Scenario(
    "state.nmi", "KVM_NMI interrupts a vCPU that holds interrupts off, running or halted", vcpus: 2,
    exercises: ["kvm_vcpu_ioctl_nmi", "kvm_inject_nmi", "process_nmi", "KVM_NMI"]
  ) { test in
    try test[vcpu: 0].disableInterrupts()
    try test[vcpu: 1].haltMasked()
    try test.stimulus {
      for index in 0..<2 { try test.machine.withVCPUStopped(index) { vcpu throws(KVMError) in try vcpu.nmi() } }
    }
    try test.expect(1, of: 2, on: 0, unfenced: "its interrupts are off")
    try test.expect(1, of: 2, on: 1)
    try test[vcpu: 1].finishHalt()
  }

  /// KVM_INTERRUPT, which is for a PIC in user space.
  static let interruptRefused = Scenario(
    "state.interrupt", "KVM_INTERRUPT is refused where the PIC is in the kernel",
    exercises: ["kvm_vcpu_ioctl_interrupt", "KVM_INTERRUPT"]
  ) { test in
    try test.expectRefusal("KVM_INTERRUPT", .noSuchAddressOrDevice) { () throws(KVMError) in
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.interrupt(0x89) }
    }
    try test.expectNone(of: 0x89, on: 0)
  }

  /// Which vCPU boots.
  static let bootCPU = Scenario(
    "state.boot-cpu", "KVM_SET_BOOT_CPU_ID makes another vCPU the bootstrap processor", vcpus: 2,
    exercises: ["kvm_vcpu_is_reset_bsp", "kvm_vcpu_is_bsp", "KVM_SET_BOOT_CPU_ID"],
    needs: [.capability(.setBootCPUID)], configure: reverseIDs
  ) { test in
    for (index, isBootstrap) in [true, false].enumerated() {
      let base = APICBase(rawValue: try test[vcpu: index].readMSR(MSR.apicBase))
      try test.check("vCPU \(index) is the bootstrap processor", base.isBootstrapProcessor, equals: isBootstrap)
    }
    let id = try test[vcpu: 0].read(.id)
    try test.check("the bootstrap processor's id", test.mode == .x2APIC ? id : id >> 24, equals: 1)
    try test.stimulus { try test[vcpu: 1].send(.interrupt(0x8a, to: .physical(1))) }
    try test.expect(1, of: 0x8a, on: 0)
    try test.expectNone(of: 0x8a, on: 1)
  }

  private static func reverseIDs(_ configuration: inout MachineConfiguration) { configuration.vcpuIDs = [1, 0] }

  /// Too late for that.
  static let bootCPULate = Scenario(
    "state.boot-cpu-late", "KVM_SET_BOOT_CPU_ID is refused once there is a vCPU",
    exercises: ["KVM_SET_BOOT_CPU_ID"], needs: [.capability(.setBootCPUID)]
  ) { test in
    try test.expectRefusal("KVM_SET_BOOT_CPU_ID", .resourceBusy) { () throws(KVMError) in
      try test.vm.setBootCPU(id: 1)
    }
  }
}
