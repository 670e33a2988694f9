public import KVM

/// What the owner of a machine does itself, where the machine would not do it.
public struct MachineHooks: Sendable {
  /// Called with the virtual machine once it has its irqchip and its memory, before its first vCPU.
  public var prepare: @Sendable (VirtualMachine) throws(KVMError) -> Void

  /// Called on a vCPU's thread with an exit that the machine has no answer for; says whether it was answered. One that
  /// is not ends the machine.
  public var answer: @Sendable (VCPU, Exit) -> Bool

  /// Hooks that do nothing, but for those that are given.
  public init(
    prepare: @escaping @Sendable (VirtualMachine) throws(KVMError) -> Void = { _ in },
    answer: @escaping @Sendable (VCPU, Exit) -> Bool = { _, _ in false }
  ) {
    self.prepare = prepare
    self.answer = answer
  }
}
