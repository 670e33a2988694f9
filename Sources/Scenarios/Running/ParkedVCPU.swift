import APIC
import KVM
import VMM

/// A vCPU that never runs and keeps APICv off for its whole VM, so that one host in one boot shows the same scenario with
/// APICv and without.
///
/// Its xAPIC id is not its vCPU's, for which KVM inhibits APICv (APICV_INHIBIT_REASON_APIC_ID_MODIFIED; kernel,
/// `kvm_lapic_xapic_id_updated`, since Linux 6.4 `kvm_recalculate_apic_map`). It waits for an INIT that nobody sends, its
/// local APIC is disabled by software, and no guest is told of it: nothing else of the machine changes.
enum ParkedVCPU {
  /// Beyond the ids of the suite's machines that have 8 bits.
  private static let id: UInt32 = 251
  private static let foreignID: UInt32 = 252

  /// Adds the vCPU to a machine that has none yet.
  static func add(to vm: VirtualMachine) throws(KVMError) {
    let vcpu = try vm.createVCPU(id: id)
    var state = try vcpu.localAPIC()
    state.setID(foreignID, mode: .xAPIC)
    // Twice: kernels before 6.4 look at the id that the state replaces.
    try vcpu.setLocalAPIC(state)
    try vcpu.setLocalAPIC(state)
  }
}

extension MachineHooks {
  /// The same hooks for a machine with a vCPU that keeps APICv off.
  var withParkedVCPU: MachineHooks {
    var hooks = self
    let prepare = prepare
    hooks.prepare = { vm throws(KVMError) in
      try prepare(vm)
      try ParkedVCPU.add(to: vm)
    }
    return hooks
  }
}
