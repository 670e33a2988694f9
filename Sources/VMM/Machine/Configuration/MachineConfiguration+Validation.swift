import GuestContract
import KVM

extension MachineConfiguration {
  /// Refuses what no machine on this host can be.
  func validate(on system: System) throws(MachineError) {
    try validate { capability throws(KVMError) in try system.check(capability) }
  }

  /// Refuses what no machine on a host with these capabilities can be.
  ///
  /// - Parameter value: what KVM_CHECK_EXTENSION says there of a capability.
  func validate(_ value: (Capability) throws(KVMError) -> Int) throws(MachineError) {
    guard vcpus >= 1 else { throw .configuration("a machine has at least 1 vCPU, not \(vcpus)") }
    guard apicIDs.count == vcpus, Set(apicIDs).count == vcpus else {
      throw .configuration("\(vcpus) vCPUs need as many different ids, not \(apicIDs.count)")
    }
    guard Self.memoryRange.contains(memory) else {
      throw .configuration(
        "guest memory is from \(Self.memoryRange.lowerBound >> 20) MiB to \(Self.memoryRange.upperBound >> 30) GiB")
    }
    guard memory % BootLayout.pageSize == 0 else {
      throw .configuration("guest memory is a multiple of 4096 bytes, not \(memory)")
    }
    guard arguments.utf8.count < Int(LAPWING_ARGUMENT_LIMIT) else {
      throw .configuration("the guest's arguments have at most \(LAPWING_ARGUMENT_LIMIT - 1) bytes")
    }
    let most = try kvmCall { () throws(KVMError) in
      try max(value(.maxVCPUs), value(.nrVCPUs), 1)
    }
    guard vcpus <= most else { throw .configuration("this host runs at most \(most) vCPUs, not \(vcpus)") }
    // An xAPIC id has 8 bits, of which 0xff is the broadcast (SDM volume 3A, section 12.4.6).
    guard apic == .x2APIC || apicIDs.allSatisfy({ $0 < 255 }) else {
      throw .configuration("with xAPIC an APIC id is at most 254, so there are at most 255 vCPUs; use x2APIC")
    }
    if let environment = profile.unitTest?.environment, environment.count > UnitTestPlatform.environmentLimit {
      throw .configuration("the environment has at most \(UnitTestPlatform.environmentLimit) bytes")
    }
    for (capability, purpose) in needs {
      guard try kvmCall({ () throws(KVMError) in try value(capability) }) > 0 else {
        throw .missingCapability(capability, purpose: purpose)
      }
    }
  }

  /// The capabilities that such a machine cannot do without, and what for.
  private var needs: [(Capability, purpose: String)] {
    var needs: [(Capability, purpose: String)] = [
      (.irqChip, "an in-kernel local APIC"), (.immediateExit, "stopping a vCPU"),
    ]
    switch irqChip {
    case .kernel: needs.append((.pit2, "the in-kernel PIT"))
    case .split: needs.append((.splitIRQChip, "a split irqchip"))
    }
    if needs32BitIDs { needs.append((.x2APICAPI, "x2APIC with 32-bit ids")) }
    return needs
  }
}
