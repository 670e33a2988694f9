public import KVM

/// What the owner of a machine does itself, where the machine would not do it.
public struct MachineHooks: Sendable {
  /// Called with the virtual machine once it has its irqchip and its memory, before its first vCPU.
  public var prepare: @Sendable (VirtualMachine) throws(KVMError) -> Void

  /// Called once with what a device may use, before anything runs: the owner's devices, which the machine puts beside its
  /// own. A state does not have what they hold (`Machine.deviceStates`): a machine that is made again asks for them anew.
  public var devices: @Sendable (DeviceSite) -> [AttachedDevice]

  /// Called on a vCPU's thread with an exit that the machine has no answer for; says whether it was answered. One that
  /// is not ends the machine.
  public var answer: @Sendable (VCPU, Exit) -> Bool

  /// Hooks that do nothing, but for those that are given.
  public init(
    prepare: @escaping @Sendable (VirtualMachine) throws(KVMError) -> Void = { _ in },
    answer: @escaping @Sendable (VCPU, Exit) -> Bool = { _, _ in false },
    devices: @escaping @Sendable (DeviceSite) -> [AttachedDevice] = { _ in [] }
  ) {
    self.prepare = prepare
    self.devices = devices
    self.answer = answer
  }
}
