import KVM

/// Opens KVM.
///
/// - Parameter forManyMachines: keep it active from one machine to the next (`System.keepActive()`).
func openKVM(forManyMachines: Bool = false) throws(Failure) -> System {
  do throws(KVMError) {
    let system = try KVM.open()
    if forManyMachines { try system.keepActive() }
    return system
  } catch {
    throw Failure(error)
  }
}
