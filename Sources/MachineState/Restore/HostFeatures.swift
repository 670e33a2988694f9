import KVM
import Synchronization

/// The CPUID features that a vCPU of this host can have.
enum HostFeatures {
  private static let shown = Mutex<[CPUIDEntry]?>(nil)

  /// What a vCPU shows its guest that was given all that KVM supports: a back end may add features of the processor that
  /// KVM_GET_SUPPORTED_CPUID does not list (kvm_pvm does). Asked of a machine without a guest, once.
  static func shown(by system: System) throws(KVMError) -> [CPUIDEntry] {
    try shown.withLock { shown throws(KVMError) in
      if let shown { return shown }
      let vm = try system.createVM()
      let vcpu = try vm.createVCPU(id: 0)
      try vcpu.setCPUID(try system.supportedCPUID())
      let entries = try vcpu.cpuid()
      shown = entries
      return entries
    }
  }
}
