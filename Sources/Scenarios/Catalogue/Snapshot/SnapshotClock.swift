import APIC
import KVM
import MachineState
import VMM

/// What kvmclock tells a guest of a snapshot.
extension Scenario {
  /// To the guest that was only paused, to the one that was saved and goes on, and to the one that was made of it.
  static let snapshotClock = Scenario(
    "snapshot.kvmclock", "A guest is told by kvmclock that it was paused, after a pause, a capture and a restore",
    exercises: ["kvm_set_guest_paused", "kvm_guest_time_update", "KVM_KVMCLOCK_CTRL", "PVCLOCK_GUEST_STOPPED"]
  ) { test in
    let (vcpu, area) = (test[vcpu: 0], UInt64(0x9000))
    /// `flags` of `struct pvclock_vcpu_time_info` (virt/kvm/x86/msr.rst), in the word at its offset 28.
    func isStopped() throws -> Bool { try vcpu.readMemory(area + 28) >> 8 & 2 != 0 }
    /// As a guest does that has seen it.
    func forget() throws { try vcpu.writeMemory(area + 28, try vcpu.readMemory(area + 28) & ~0x200) }
    for offset in stride(from: UInt64(0), to: 32, by: 4) { try vcpu.writeMemory(area + offset, 0) }
    try vcpu.writeMSR(MSR.systemTime, area | 1)
    try test.until("kvmclock runs") { try vcpu.readMemory(area) > 0 }
    try test.check("the guest is told before it was paused", try isStopped(), equals: false)
    try test.stimulus {
      try test.machine.pause()
      test.machine.resume()
    }
    try test.until("the guest is told after a pause") { try isStopped() }
    try forget()
    _ = try test.capture()
    try test.until("the guest is told after a capture") { try isStopped() }
    try forget()
    try test.check("it is told once", try isStopped(), equals: false)
    try test.hop()
    try test.until("the guest is told after a restore") { try isStopped() }
    try vcpu.writeMSR(MSR.systemTime, 0)
  }
}
