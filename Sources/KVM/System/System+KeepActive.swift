import CKVM
import Synchronization
import SystemPackage

/// A machine that nothing runs in.
struct Keeper: ~Copyable {
  private let vm: OwnedDescriptor
  /// nil where the kernel emulates no local APICs.
  private let vcpu: OwnedDescriptor?

  /// Takes over a machine without vCPUs, and gives it one.
  init(_ vm: consuming OwnedDescriptor) throws(KVMError) {
    vcpu = try Self.vcpu(of: vm)
    self.vm = vm
  }

  private static func vcpu(of vm: borrowing OwnedDescriptor) throws(KVMError) -> OwnedDescriptor? {
    guard ckvm_enable_cap(vm.rawValue, Capability.splitIRQChip.rawValue, 0, 0, 0, 0) == 0 else { return nil }
    return try OwnedDescriptor(.createVCPU, ckvm_create_vcpu(vm.rawValue, 0))
  }
}

extension System {
  /// Keeps KVM active for as long as this object lives, by a machine that nothing runs in. Who makes one machine after the
  /// other spares the host what it does again and again otherwise:
  ///
  /// - With the first VM the kernel enters VMX operation, or turns SVM on, on every processor, and patches the scheduler's
  ///   call of KVM into the running kernel; with the last one it takes both back (virt/kvm/kvm_main.c, `kvm_create_vm`,
  ///   `hardware_enable_all`, `preempt_notifier_inc`).
  /// - With the first local APIC that is disabled by software, as every one is at first, it patches KVM to look out for
  ///   such, and back after the last (arch/x86/kvm/lapic.c, `apic_sw_disabled`).
  ///
  /// - Throws: `KVMError`, as `createVM(type:)` does.
  public func keepActive() throws(KVMError) {
    try keeper.withLock { keeper throws(KVMError) in keeper = try Keeper(newVM(.default)) }
  }
}
