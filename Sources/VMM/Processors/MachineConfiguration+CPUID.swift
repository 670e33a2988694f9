public import KVM

extension MachineConfiguration {
  /// What CPUID answers on each vCPU of such a machine on this host, by index: what a machine is given that is made from it.
  ///
  /// - Parameter system: the host's KVM.
  /// - Throws: `KVMError` of KVM_GET_SUPPORTED_CPUID.
  public func cpuid(on system: System) throws(KVMError) -> [[CPUIDEntry]] {
    let table = try CPUIDTable(system: system, configuration: self)
    return apicIDs.map { table.entries(apicID: $0) }
  }
}
