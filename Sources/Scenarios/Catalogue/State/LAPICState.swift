import APIC
import KVM
import SystemPackage
import VMM

/// KVM_GET_LAPIC and KVM_SET_LAPIC.
extension Scenario {
  /// What is set is what the guest reads, and what is read back.
  static let lapicRoundTrip = Scenario(
    "state.lapic.round-trip",
    "KVM_SET_LAPIC sets the registers that the guest reads, and KVM_GET_LAPIC gives them back",
    exercises: ["kvm_apic_set_state", "kvm_apic_get_state", "kvm_apic_state_fixup", "KVM_SET_LAPIC"]
  ) { test in
    let vcpu = test[vcpu: 0]
    let error = LVTEntry.pin(0xe1, isMasked: true)
    let before = try test.localAPICState(of: 0)
    try test.stimulus {
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
        var state = try vcpu.localAPIC()
        // SVM without AVIC keeps the class alone, which is all that CR8 has (svm.c, sync_cr8_to_lapic).
        state.taskPriority = Priority(rawValue: 0x30)
        state.setLVT(.error, to: error)
        state.divide = .by16
        try vcpu.setLocalAPIC(state)
      }
    }
    try test.check("the guest's TPR", try vcpu.read(.taskPriority), equals: 0x30)
    try test.check("the guest's LVT error entry", try vcpu.read(.lvtError), equals: error.rawValue)
    try test.check("the guest's divide value", try vcpu.read(.divide), equals: TimerDivide.by16.registerValue)
    let after = try test.localAPICState(of: 0)
    try test.check("the TPR read back", after.taskPriority.rawValue, equals: 0x30)
    try test.check("the id read back", after[.id], equals: before[.id])
    try test.check("the spurious vector read back", after.spurious, equals: before.spurious)
    let again = try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
      try vcpu.setLocalAPIC(after)
      return try vcpu.localAPIC()
    }
    try test.check("a state set unchanged stays the same", again == after, saw: again)
  }

  /// An interrupt that a migration finds waiting.
  static let lapicPending = Scenario(
    "state.lapic.pending", "An interrupt that KVM_SET_LAPIC puts into the IRR is delivered", vcpus: 2,
    exercises: ["kvm_apic_set_state", "apic_find_highest_irr", "KVM_SET_LAPIC"]
  ) { test in
    try test[vcpu: 1].halt()
    try test.stimulus {
      for vcpu in 0..<2 {
        try test.machine.withVCPUStopped(vcpu) { vcpu throws(KVMError) in
          var state = try vcpu.localAPIC()
          state.interruptRequest.insert(0x81)
          state.interruptRequest.insert(0xc2)
          try vcpu.setLocalAPIC(state)
        }
      }
    }
    for vcpu in 0..<2 {
      try test.expect(1, of: 0x81, on: vcpu)
      try test.expect(1, of: 0xc2, on: vcpu)
    }
    let order = try test.takenInOrder(2, of: 0x81, 0xc2, on: 1).map(\.vector)
    try test.check("the order", order, equals: [0xc2, 0x81])
  }

  /// An interrupt that a migration finds in service.
  static let lapicInService = Scenario(
    "state.lapic.in-service", "An interrupt that KVM_SET_LAPIC puts into the ISR holds lower ones off until its EOI",
    exercises: ["kvm_apic_set_state", "apic_update_ppr", "apic_find_highest_isr", "SDM 3A 12.8.3"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.stimulus {
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
        var state = try vcpu.localAPIC()
        state.inService.insert(0x93)
        try vcpu.setLocalAPIC(state)
      }
    }
    try test.check("the processor priority", try vcpu.read(.processorPriority), equals: 0x90)
    try test.signal(MSIMessage(vector: 0x82, destination: vcpu.destination))
    try test.expectHeld(0x82, on: 0, by: "0x93 in service")
    try vcpu.endOfInterrupt()
    try test.expect(1, of: 0x82, on: 0)
    try test.check("the ISR", try vcpu.readVectors(.inService).contains(0x93), equals: false)
  }

  /// A TPR that is set while an interrupt waits.
  static let lapicStatePriority = Scenario(
    "state.lapic.priority", "A TPR that KVM_SET_LAPIC lowers lets the waiting interrupt in",
    exercises: ["kvm_apic_set_state", "apic_update_ppr", "KVM_SET_LAPIC"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.write(.taskPriority, 0xf0)
    try test.signal(MSIMessage(vector: 0x83, destination: vcpu.destination))
    try test.expectHeld(0x83, on: 0, by: "the task priority")
    try test.stimulus {
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
        var state = try vcpu.localAPIC()
        state.taskPriority = Priority(rawValue: 0)
        try vcpu.setLocalAPIC(state)
      }
    }
    try test.expect(1, of: 0x83, on: 0)
  }

  /// An id that is not the vCPU's.
  static let lapicForeignID = Scenario(
    "state.lapic.foreign-id", "KVM_SET_LAPIC refuses an x2APIC id that is not the vCPU's, and changes nothing",
    modes: [.x2APIC], exercises: ["kvm_apic_state_fixup", "KVM_SET_LAPIC"]
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.expectRefusal("a foreign id", .invalidArgument) { () throws(KVMError) in
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in
        var state = try vcpu.localAPIC()
        state.setID(7, mode: .x2APIC)
        state.taskPriority = Priority(rawValue: 0x40)
        try vcpu.setLocalAPIC(state)
      }
    }
    try test.check("the id", try vcpu.read(.id), equals: 0)
    try test.check("the TPR", try vcpu.read(.taskPriority), equals: 0)
  }
}
