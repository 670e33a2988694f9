import APIC
import KVM
import MachineState
import VMM

/// NMIs and interrupt shadows when the state is taken.
extension Scenario {
  /// An NMI that no vCPU has taken.
  static let snapshotNMI = Scenario(
    "snapshot.nmi", "An NMI that waits is taken once after a restore, by a running and by a halted vCPU", vcpus: 2,
    exercises: ["process_nmi", "kvm_vcpu_ioctl_x86_get_vcpu_events", "KVM_SET_VCPU_EVENTS", "KVM_NMI"]
  ) { test in
    try test[vcpu: 0].disableInterrupts()
    try test[vcpu: 1].haltMasked()
    let state = try test.hop(whilePaused: {
      try test.stimulus {
        for index in 0..<2 { try test.machine.withVCPUStopped(index) { vcpu throws(KVMError) in try vcpu.nmi() } }
      }
    })
    for index in 0..<2 {
      try test.check("NMIs that wait on vCPU \(index)", state.vcpus[index].events.nmi.pending, equals: 1)
    }
    try test.expect(1, of: 2, on: 0, unfenced: "its interrupts are off")
    try test.expect(1, of: 2, on: 1)
    try test[vcpu: 1].finishHalt()
  }

  /// An NMI behind another.
  static let snapshotNMIBlocked = Scenario(
    "snapshot.nmi-blocked", "An NMI that waits for the end of another does so after a restore", vcpus: 2,
    exercises: ["vmx_get_nmi_mask", "vmx_set_nmi_mask", "kvm_x86_nmi_allowed", "KVM_SET_VCPU_EVENTS"]
  ) { test in
    let target = test[vcpu: 1]
    try target.handle(2, .holds)
    try test[vcpu: 0].send(.nmi(to: target.destination))
    try test.expectAtLeast(1, of: 2, on: 1)
    try test.stimulus { try test[vcpu: 0].send(.nmi(to: target.destination)) }
    let state = try test.hop()
    try test.check("NMIs are blocked", state.vcpus[1].events.nmi.masked)
    try test.check("NMIs that wait", state.vcpus[1].events.nmi.pending, equals: 1)
    try test.expectHeld(2, on: 1, by: "the handler of the first")
    try target.openGate()
    try test.expect(2, of: 2, on: 1)
  }

  /// Right behind STI.
  static let snapshotShadow = Scenario(
    "snapshot.shadow", "Between STI and the next instruction an interrupt lets that one run first after a restore",
    exercises: ["vmx_get_interrupt_shadow", "vmx_set_interrupt_shadow", "KVM_SET_VCPU_EVENTS", "SDM 2B STI"],
    needs: [.trait(.enteredShadow)]
  ) { test in
    let sti: UInt8 = 2
    let interruptFlag: UInt64 = 0x200
    let vcpu = test[vcpu: 0]
    try vcpu.disableInterrupts()
    try test.signal(MSIMessage(vector: 0x7e, destination: vcpu.destination))
    let state = try test.hop(whilePaused: {
      // Eight NOPs.
      try test.divert(0, through: [UInt8](repeating: 0x90, count: 8), setting: interruptFlag)
      try test.stimulus {
        try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
          var events = try vcpu.events()
          events.interrupt.shadow = sti
          try vcpu.setEvents(events)
        }
      }
    })
    try test.expect(1, of: 0x7e, on: 0)
    let place = try test.interruptedInstruction(of: 0x7e, on: 0)
    try test.deciding(.enteredShadow) {
      try test.check(
        "the instruction behind STI runs first", place != TestContext.diversion,
        saw: "an interrupt before the instruction")
    }
    try test.check("the shadow", state.vcpus[0].events.interrupt.shadow, equals: sti)
  }
}

extension TestContext {
  /// Where `divert` puts its instructions: a page that the agent does not use.
  static let diversion: UInt64 = 0x50_0000

  /// Has a vCPU that waits for the next operation run instructions first. The machine is paused.
  ///
  /// - Parameters:
  ///   - vcpu: its index.
  ///   - code: the instructions, which leave all registers as they were.
  ///   - flags: bits of RFLAGS to set.
  func divert(_ vcpu: Int, through code: [UInt8], setting flags: UInt64 = 0) throws {
    let place = Self.diversion
    let back = try machine.withVCPUStopped(vcpu) { vcpu throws(KVMError) in
      var registers = try vcpu.registers()
      let back = registers.rip
      registers.rip = place
      registers.rflags |= flags
      try vcpu.setRegisters(registers)
      return back
    }
    // JMP to the address behind it.
    let jump = [0xff, 0x25, 0, 0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: back >> (8 * UInt64($0))) }
    try machine.memory.write(code + jump, at: place)
  }

  /// Before which instruction a vCPU took `vector`, of which it has logged one since the log was last looked at.
  func interruptedInstruction(of vector: Vector, on vcpu: Int) throws -> UInt64 {
    var place: UInt64?
    try until("vCPU \(vcpu) has logged \(vector)") {
      for record in machine.log.next() where record.vcpu == vcpu {
        if case .interrupt(vector, let instruction) = record.event { place = instruction }
      }
      return place != nil
    }
    return place ?? 0
  }
}
