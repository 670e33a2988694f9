import CKVM
import Synchronization
import SystemPackage

/// A virtual machine: memory slots, interrupt controllers and vCPUs.
///
/// `System.createVM` gives one. KVM serialises its calls, so it can be used from any thread. It keeps the memory of its
/// slots and the events of its irqfds alive, and its vCPUs keep it alive.
public final class VirtualMachine: Sendable {
  /// The KVM it belongs to.
  public let system: System

  let descriptor: OwnedDescriptor
  let slots = Mutex<[UInt32: MemorySlot]>([:])
  /// The events of assigned irqfds, which must stay open: KVM takes the last close of one for its deassignment.
  let irqfds = Mutex<[IRQFD]>([])

  init(_ descriptor: consuming OwnedDescriptor, of system: System) {
    self.descriptor = descriptor
    self.system = system
  }

  /// Creates a vCPU (KVM_CREATE_VCPU).
  ///
  /// With an in-kernel irqchip it has a local APIC; vCPU 0 boots and the others wait for INIT and SIPI, unless
  /// `setBootCPU` chose otherwise.
  ///
  /// - Parameter id: its APIC ID, below KVM_CAP_MAX_VCPU_ID.
  /// - Throws: `KVMError`: EEXIST for an id in use, EINVAL for one out of range, ENOMEM.
  public func createVCPU(id: UInt32) throws(KVMError) -> VCPU {
    let answer = ckvm_create_vcpu(descriptor.rawValue, UInt(id))
    return try VCPU(OwnedDescriptor(.createVCPU, answer, detail: "vCPU \(id)"), id: id, of: self)
  }
}
