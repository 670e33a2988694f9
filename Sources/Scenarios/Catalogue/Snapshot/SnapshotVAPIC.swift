import APIC
import KVM
import MachineState
import VMM

/// The vAPIC word and TPR access reporting, which KVM is told of and does not tell back.
extension Scenario {
  /// The word's address, and the word.
  static let snapshotVAPIC = Scenario(
    "snapshot.vapic", "After a restore KVM takes the TPR from the vAPIC word, where it was told before", vcpus: 1,
    exercises: ["kvm_lapic_set_vapic_addr", "kvm_lapic_sync_from_vapic", "KVM_SET_VAPIC_ADDR"],
    needs: [.capability(.vapic)]
  ) { test in
    let address: UInt64 = 0x50_0000
    let vcpu = test[vcpu: 0]
    try vcpu.writeMemory(address, 0)
    try test.stimulus {
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.setVAPICAddress(address) }
    }
    for priority in [UInt8(0x30), 0x90, 0] {
      // KVM overwrites the word at an entry that evaluates interrupts, which a write can fall just before.
      try test.until("the local APIC takes the TPR \(Priority(rawValue: priority)) of the word over") {
        try vcpu.writeMemory(address, UInt32(priority))
        return try test.localAPICState(of: 0).taskPriority.rawValue == priority
      }
      let state = try test.hop()
      try test.check("the TPR in the state", state.vcpus[0].localAPIC.taskPriority.rawValue, equals: priority)
    }
    try test.signal(MSIMessage(vector: 0x8d, destination: vcpu.destination))
    try test.expect(1, of: 0x8d, on: 0)

  }

  /// TPR accesses that are reported.
  static let snapshotTPRReporting = Scenario(
    "snapshot.tpr-reporting", "Writes to the TPR are reported after a restore where they were before", modes: [.xAPIC],
    exercises: ["report_tpr_access", "kvm_vcpu_ioctl_tpr_access_reporting", "KVM_EXIT_TPR_ACCESS"],
    needs: [.capability(.vapic), .trait(.reportedTPRAccesses)],
    hooks: .answeringTPRWrites
  ) { test in
    let vcpu = test[vcpu: 0]
    try test.stimulus {
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.setTPRReporting(true) }
    }
    try test.hop()
    for (count, priority) in [UInt32(0x30), 0x50].enumerated() {
      try vcpu.write(.taskPriority, priority)
      try test.expect(count + 1, of: 2, on: 0, unfenced: "its task priority is above 0")
      try test.check("the TPR", try test.localAPICState(of: 0).taskPriority.rawValue, equals: UInt8(priority))
    }
    try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.setTPRReporting(false) }
    try test.hop()
    try vcpu.write(.taskPriority, 0)
    try test.expect(2, of: 2, on: 0)
  }
}
