import CKVM
import Synchronization
import SystemPackage

/// A virtual processor.
///
/// `VirtualMachine.createVCPU` gives one. One thread runs it; any thread may read or write its state, for which KVM makes
/// it wait while the vCPU is inside `run()`, and any thread or signal handler may request that it leave.
public final class VCPU: Sendable {
  /// Its number, which is its APIC ID.
  public let id: UInt32

  /// The machine it belongs to, which it keeps alive.
  public let vm: VirtualMachine

  let descriptor: OwnedDescriptor
  let runPage: Mutex<RunPage>
  let exitRequest: ExitRequest
  let chosen = Mutex(VCPUSettings())

  init(_ descriptor: consuming OwnedDescriptor, id: UInt32, of vm: VirtualMachine) throws(KVMError) {
    self.id = id
    self.vm = vm
    let page = try RunPage(descriptor, size: vm.system.runPageSize)
    exitRequest = page.exitRequest
    runPage = Mutex(page)
    self.descriptor = descriptor
  }

  /// What the vCPU was told so far and KVM does not tell back.
  public var settings: VCPUSettings { chosen.withLock { $0 } }

  /// Enables a capability for this vCPU (KVM_ENABLE_CAP on a vCPU).
  ///
  /// - Parameters:
  ///   - capability: one that can be enabled per vCPU, such as `.hypervSynIC`.
  ///   - argument: as the capability defines it.
  /// - Throws: `KVMError` with EINVAL when KVM lacks it or dislikes the argument.
  public func enable(_ capability: Capability, _ argument: UInt64 = 0) throws(KVMError) {
    let answer = ckvm_enable_cap(descriptor.rawValue, capability.rawValue, argument, 0, 0, 0)
    try attempt(.enableCap, answer, detail: capability.name)
    chosen.withLock {
      $0.capabilities.append(MachineSettings.EnabledCapability(capability, [argument, 0, 0, 0]))
    }
  }
}

/// What a vCPU was told that KVM never tells back.
public struct VCPUSettings: Hashable, Sendable {
  /// Where the guest's paravirtual TPR is, guest-physical; 0 for none (KVM_SET_VAPIC_ADDR).
  public var vapicAddress: UInt64 = 0
  /// Whether TPR accesses leave to user space (KVM_TPR_ACCESS_REPORTING).
  public var reportsTPRAccesses = false
  /// The capabilities that were enabled on the vCPU, in that order (KVM_ENABLE_CAP).
  public var capabilities: [MachineSettings.EnabledCapability] = []

  /// A vCPU that was told nothing.
  public init() {}
}
