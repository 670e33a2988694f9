import KVM

/// Runs what KVM may refuse, and says it in a machine's words.
func kvmCall<Result: ~Copyable>(_ body: () throws(KVMError) -> Result) throws(MachineError) -> Result {
  do throws(KVMError) {
    return try body()
  } catch {
    throw .kvm(error)
  }
}

/// Runs what may not fit into guest memory, and says it in a machine's words.
func memoryAccess(_ body: () throws(GuestMemoryError) -> Void) throws(MachineError) {
  do throws(GuestMemoryError) {
    try body()
  } catch {
    throw .memory(error)
  }
}
