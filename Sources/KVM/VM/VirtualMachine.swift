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
  let assignedIRQFDs = Mutex<[IRQFD]>([])
  let assignedIOEvents = Mutex<[IOEvent]>([])
  let chosen = Mutex(MachineSettings())

  init(_ descriptor: consuming OwnedDescriptor, of system: System) {
    self.descriptor = descriptor
    self.system = system
  }

  deinit { removeFirstMemoryRegion() }

  /// What the machine was told so far and KVM does not tell back.
  public var settings: MachineSettings { chosen.withLock { $0 } }

  /// The irqfds that are assigned, in the order of assignment.
  public var irqfds: [IRQFD] { assignedIRQFDs.withLock { $0 } }

  /// The ioeventfds that are assigned, in the order of assignment.
  public var ioEvents: [IOEvent] { assignedIOEvents.withLock { $0 } }

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
