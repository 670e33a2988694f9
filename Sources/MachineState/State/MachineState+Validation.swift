import APIC
public import JSON
import KVM
import VMM

extension MachineState {
  /// Refuses a state that contradicts itself, before anything is made of it.
  ///
  /// - Throws: `MalformedState` with the place.
  public func validate() throws(MalformedState) {
    try JSONError.inside("machine") { () throws(MalformedState) in try validateConfiguration() }
    try validateSettings()
    try validateCapabilities()
    try validateChips()
    guard vcpus.count == configuration.vcpus else {
      throw MalformedState("\(configuration.vcpus) vCPUs expected, not \(vcpus.count)", at: "vcpus")
    }
    let ids = configuration.apicIDs
    let format = hasWideIDs
    for (index, vcpu) in vcpus.enumerated() {
      try JSONError.inside("vcpus[\(index)]") { () throws(MalformedState) in
        guard vcpu.id == ids[index] else { throw MalformedState("\(ids[index]) expected, not \(vcpu.id)", at: "id") }
        try vcpu.validate(wideIDs: format)
      }
    }
    if let memory, memory.size != configuration.memory {
      throw MalformedState(
        "\(configuration.memory) bytes expected, as the machine has, not \(memory.size)", at: "memory.size")
    }
    try validateEvents()
  }

  /// Whether local APIC pages hold x2APIC ids of 32 bits (KVM_X2APIC_API_USE_32BIT_IDS).
  public var hasWideIDs: Bool {
    settings.capabilities.contains {
      $0.capability == .x2APICAPI && X2APICOptions(rawValue: $0.arguments.first ?? 0).contains(.use32BitIDs)
    }
  }

  private func validateConfiguration() throws(MalformedState) {
    let range = MachineConfiguration.memoryRange
    guard range.contains(configuration.memory), configuration.memory.isMultiple(of: 4096) else {
      throw MalformedState(
        "a multiple of 4096 from \(range.lowerBound) to \(range.upperBound) expected", at: "memory")
    }
    let ids = configuration.apicIDs
    guard ids.count == configuration.vcpus, Set(ids).count == ids.count else {
      throw MalformedState("as many different ids as vCPUs expected", at: "vcpuIDs")
    }
  }

  private func validateChips() throws(MalformedState) {
    let isKernel = configuration.irqChip == .kernel
    guard settings.hasIRQChip == isKernel else {
      throw MalformedState("the machine's irqchip is \(configuration.irqChip.rawValue)", at: "settings.irqchip")
    }
    let splits = settings.capabilities.filter { $0.capability == .splitIRQChip }
    guard splits.count == (isKernel ? 0 : 1) else {
      throw MalformedState(
        "\(isKernel ? "no" : "one") KVM_CAP_SPLIT_IRQCHIP expected with this irqchip", at: "settings.capabilities")
    }
    func check(_ isThere: Bool, _ name: String, expected: Bool) throws(MalformedState) {
      guard isThere != expected else { return }
      let verb = expected ? "has" : "has no"
      throw MalformedState("a machine with irqchip \(configuration.irqChip.rawValue) \(verb) such chip", at: name)
    }
    try check(pics != nil, "pic", expected: isKernel)
    try check(ioapic != nil, "ioapic", expected: isKernel)
    try check(splitIOAPIC != nil, "splitIOAPIC", expected: !isKernel)
    try check(pit != nil, "pit", expected: settings.pit != nil)
    guard isKernel || pit == nil else { throw MalformedState("a split irqchip has no PIT", at: "pit") }
    for (index, route) in (settings.routes ?? []).enumerated() {
      if case .irqChip = route, !isKernel {
        throw MalformedState("a split irqchip has no chip to route to", at: "routes[\(index)]")
      }
    }
  }

  private func validateEvents() throws(MalformedState) {
    var names: Set<String> = []
    for (index, device) in devices.enumerated() where !names.insert(device.name).inserted {
      throw MalformedState("the device '\(device.name)' is there twice", at: "devices[\(index)].name")
    }
    for (index, event) in ioEvents.enumerated() {
      guard [0, 1, 2, 4, 8].contains(event.length), event.length > 0 || event.match == nil else {
        throw MalformedState(
          "0, 1, 2, 4 or 8 expected, and a match only with a length", at: "ioEvents[\(index)].length")
      }
    }
    try validateSharedEvents()
    var owned: Set<UInt32> = []
    for (index, event) in irqfds.enumerated() where event.isOwnedByVMM && !owned.insert(event.gsi).inserted {
      throw MalformedState("the machine has one irqfd a GSI", at: "irqfds[\(index)].isOwnedByVMM")
    }
    do throws(DeviceStateError) {
      try DeviceState.validate(devices, configuration)
    } catch {
      let index = devices.firstIndex { $0.name == error.device }
      let path = index.map { "devices[\($0)]" } ?? "devices"
      throw MalformedState(error.problem, at: error.field.isEmpty ? path : "\(path).fields.\(error.field)")
    }
  }

  private func validateSharedEvents() throws(MalformedState) {
    var numbers: Set<UInt32> = []
    for (index, irqfd) in irqfds.enumerated() {
      guard let event = irqfd.event else { continue }
      guard numbers.insert(event).inserted else {
        throw MalformedState("KVM takes an event for one irqfd", at: "irqfds[\(index)].event")
      }
    }
    for (index, ioEvent) in ioEvents.enumerated() {
      guard let event = ioEvent.event, !numbers.insert(event).inserted, ioEvent.pending > 0 else { continue }
      throw MalformedState(
        "what waits in a shared event is with the first that has it", at: "ioEvents[\(index)].pending")
    }
  }
}

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
