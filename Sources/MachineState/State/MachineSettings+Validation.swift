import APIC
import JSON
import KVM
import VMM

extension MachineState {
  /// Refuses what no machine was ever told: KVM would, but only after parts of one are made, or would take it.
  func validateSettings() throws(MalformedState) {
    if let boot = settings.bootCPU, !configuration.apicIDs.contains(boot) {
      throw MalformedState("the id of a vCPU expected, not \(hex(boot))", at: "settings.bootCPU")
    }
    if let address = settings.tssAddress { try validatePlace(UInt64(address), pages: 3, at: "settings.tssAddress") }
    // 0 is KVM's own choice.
    if let address = settings.identityMapAddress, address != 0 {
      try validatePlace(address, pages: 1, at: "settings.identityMapAddress")
    }
    if let kHz = settings.tscKHz, kHz > VCPUState.highestTSCKHz {
      throw MalformedState("\(hex(kHz)) is above \(hex(VCPUState.highestTSCKHz))", at: "settings.tscKHz")
    }
  }

  /// Pages that KVM takes for itself lie below 4 GiB and outside of guest memory (KVM API, KVM_SET_TSS_ADDR).
  private func validatePlace(_ address: UInt64, pages: UInt64, at path: String) throws(MalformedState) {
    let size = pages * GuestMemory.pageSize
    let end: UInt64 = 1 << 32
    guard address.isMultiple(of: GuestMemory.pageSize), address <= end - size else {
      throw MalformedState("a multiple of 4096 up to \(hex(end - size)) expected, not \(hex(address))", at: path)
    }
    guard !GuestMemory.holds(address, 1, ofSize: configuration.memory) else {
      throw MalformedState("\(hex(address)) is guest memory", at: path)
    }
  }

  /// What a state may have KVM told of a machine and of a vCPU. A state comes from anywhere: what else there is could pin host
  /// memory, share what is not the guest's, or stop this program.
  private static let machineCapabilities: Set<Capability> = [
    .splitIRQChip, .x2APICAPI, .apicBusCycles, .disableExits, .userSpaceMSR,
  ]
  private static let vcpuCapabilities: Set<Capability> = [.hypervSynIC, .hypervSynIC2]

  func validateCapabilities() throws(MalformedState) {
    func check(
      _ enabled: [MachineSettings.EnabledCapability], _ allowed: Set<Capability>, _ path: String
    ) throws(MalformedState) {
      for (index, enabled) in enabled.enumerated() {
        try JSONError.inside("\(path)[\(index)]") { () throws(MalformedState) in
          guard allowed.contains(enabled.capability) else {
            throw MalformedState(
              "a state may not enable \(enabled.capability.name) (\(enabled.capability.rawValue))")
          }
          try enabled.validateArguments()
        }
      }
    }
    try check(settings.capabilities, Self.machineCapabilities, "settings.capabilities")
    for (index, vcpu) in vcpus.enumerated() {
      try check(vcpu.settings.capabilities, Self.vcpuCapabilities, "vcpus[\(index)].settings.capabilities")
    }
  }
}

extension MachineSettings.EnabledCapability {
  /// Refuses arguments that no kernel takes. None of these capabilities has more than one. Flags that this kernel does not
  /// know, a later one may (`MachineState.differences`).
  fileprivate func validateArguments() throws(MalformedState) {
    let range: ClosedRange<UInt64> =
      switch capability {
      // KVM_MAX_IRQ_ROUTES.
      case .splitIRQChip: 0...4096
      // KVM counts 2^32 - 1 cycles, 128 of the bus each, in 64 bits.
      case .apicBusCycles: 1...UInt64.max / (128 * UInt64(UInt32.max))
      default: 0...UInt64.max
      }
    for (index, argument) in arguments.enumerated() where !(index == 0 ? range : 0...0).contains(argument) {
      let expected = index == 0 ? "from \(hex(range.lowerBound)) to \(hex(range.upperBound))" : "0"
      throw MalformedState("\(hex(argument)) is not \(expected)", at: "arguments[\(index)]")
    }
  }
}
