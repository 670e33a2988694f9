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

  /// What a state may have KVM told of a vCPU.
  private static let vcpuCapabilities: Set<Capability> = [.hypervSynIC, .hypervSynIC2]

  /// A state comes from anywhere: a capability that is none of these could pin host memory, share what is not the guest's, or
  /// stop this program.
  func validateCapabilities() throws(MalformedState) {
    for (index, enabled) in settings.capabilities.enumerated() {
      try JSONError.inside("settings.capabilities[\(index)]") { () throws(MalformedState) in
        guard let limit = Self.machineCapability(enabled.capability) else { throw Self.refusal(of: enabled.capability) }
        try enabled.validate(first: limit)
      }
    }
    for (number, vcpu) in vcpus.enumerated() {
      for (index, enabled) in vcpu.settings.capabilities.enumerated() {
        try JSONError.inside("vcpus[\(number)].settings.capabilities[\(index)]") { () throws(MalformedState) in
          guard Self.vcpuCapabilities.contains(enabled.capability) else {
            throw Self.refusal(of: enabled.capability)
          }
          try enabled.validate(first: .range(0...0))
        }
      }
    }
  }

  private static func refusal(of capability: Capability) -> MalformedState {
    MalformedState("a state may not enable \(capability.name) (\(capability.rawValue))")
  }

  /// What the first argument of a capability may be that a state may have KVM told of a machine; nil for one that it may not.
  /// All that KVM takes, on whatever host (KVM API, section 7); what this host does not know of it, it refuses.
  private static func machineCapability(_ capability: Capability) -> ArgumentLimit? {
    switch capability {
    // KVM_MAX_IRQ_ROUTES.
    case .splitIRQChip: .range(0...4096)
    case .x2APICAPI: .bits(0xf)
    // KVM counts 2^32 - 1 cycles, 128 of the bus each, in 64 bits.
    case .apicBusCycles: .range(1...UInt64.max / (128 * UInt64(UInt32.max)))
    case .disableExits: .bits(0x1f)
    case .userSpaceMSR: .bits(0x7)
    default: nil
    }
  }
}

/// What an argument may be.
private enum ArgumentLimit {
  case range(ClosedRange<UInt64>)
  case bits(UInt64)
}

extension MachineSettings.EnabledCapability {
  /// Refuses arguments that no kernel takes. None of these capabilities has more than one.
  fileprivate func validate(first limit: ArgumentLimit) throws(MalformedState) {
    let first = arguments.first ?? 0
    switch limit {
    case .range(let range) where !range.contains(first):
      throw MalformedState(
        "\(hex(first)) is not from \(hex(range.lowerBound)) to \(hex(range.upperBound))", at: "arguments[0]")
    case .bits(let known) where first & ~known != 0:
      throw MalformedState("\(hex(first)) has bits beside \(hex(known))", at: "arguments[0]")
    case .range, .bits: break
    }
    for (index, argument) in arguments.enumerated().dropFirst() where argument != 0 {
      throw MalformedState("\(hex(argument)) is not 0", at: "arguments[\(index)]")
    }
  }
}
