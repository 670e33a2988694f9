import APIC
import KVM

extension VirtualMachine {
  /// A vCPU whose local APIC accepts interrupts although nothing has run: as firmware leaves it.
  func createEnabledVCPU(id: UInt32) throws -> VCPU {
    let vcpu = try createVCPU(id: id)
    var state = try vcpu.localAPIC()
    state.spurious = SpuriousInterruptVectorRegister(vector: 0xff)
    try vcpu.setLocalAPIC(state)
    return vcpu
  }
}
