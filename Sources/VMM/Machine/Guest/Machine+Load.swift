import KVM
import Synchronization

extension Machine {
  /// Puts the guest and what it is to find into memory, and its vCPUs at its entry.
  func load(_ image: GuestImage) throws(MachineError) {
    let plan: LoadPlan
    do throws(ImageError) {
      plan = try image.plan(loadAddress: configuration.loadAddress)
      try plan.validate(memory: memoryForImages(plan.entry))
    } catch {
      throw .image(error)
    }
    try memoryAccess { () throws(GuestMemoryError) in
      // Before the image: where that claims the same memory, it has it.
      if case .multiboot = plan.entry { try BIOSData(apicIDs: configuration.apicIDs).write(to: memory) }
      for segment in plan.segments {
        try memory.write(image.contents.bytes.span.extracting(segment.file), at: segment.address)
      }
      try writeBootStructures(plan.entry, name: image.name)
    }
    try kvmCall { () throws(KVMError) in try setInitialState(plan.entry) }
    if ELFFile.matches(image.contents), image.contents.count <= Self.symbolLimit {
      imageBytes.withLock { $0 = image.contents }
    }
  }

  /// A larger image is not kept for its symbols.
  private static let symbolLimit = 64 << 20

  /// How far up an image may reach: to what the machine itself puts there for it.
  private func memoryForImages(_ entry: LoadPlan.Entry) -> UInt64 {
    switch entry {
    case .longMode, .multiboot: layout.start
    case .realMode: memory.lowSize
    }
  }

  private func writeBootStructures(_ entry: LoadPlan.Entry, name: String) throws(GuestMemoryError) {
    let structures = BootStructures(layout: layout, memory: memory)
    switch entry {
    case .realMode: break
    case .multiboot:
      try structures.writeDescriptors(BootStructures.multibootDescriptors)
      let commandLine = configuration.arguments.isEmpty ? name : "\(name) \(configuration.arguments)"
      try multibootInformation(commandLine).write(to: memory, at: layout.multibootInformation)
    case .longMode:
      try structures.writeDescriptors(BootStructures.globalDescriptors)
      try structures.writePageTables()
      try structures.writeBootPage(configuration, tscKHz: clock.kHz)
    }
  }

  /// What a Multiboot image is told; on the unit tests' PC what lies beside it is written too.
  private func multibootInformation(_ commandLine: String) throws(GuestMemoryError) -> MultibootInformation {
    guard let platform = configuration.profile.unitTest else {
      return MultibootInformation(commandLine: commandLine, memory: memory)
    }
    let firmware = UnitTestFirmware(platform: platform, apicIDs: configuration.apicIDs)
    try firmware.write(to: memory)
    return MultibootInformation(
      commandLine: commandLine, memory: memory, upTo: layout.start, module: firmware.environmentRange)
  }

  private func setInitialState(_ entry: LoadPlan.Entry) throws(KVMError) {
    for (index, vcpu) in vcpus.enumerated() where index == 0 || configuration.start == .direct {
      var state = try InitialState(of: vcpu)
      switch entry {
      case .longMode(let address): state.enterLongMode(at: address, index: index, layout: layout)
      case .realMode(let address): state.enterRealMode(at: address)
      case .multiboot(let address): state.enterMultiboot(at: address, layout: layout)
      }
      try state.apply(to: vcpu)
      if index > 0 { try vcpu.setMPState(.runnable) }
    }
  }
}

extension Machine {
  /// Whether the guest has looked for QEMU's devices on a machine that has none of them: it is one of kvm-unit-tests' images,
  /// probably, and for the unit tests' PC.
  public var isMissingUnitTestPlatform: Bool {
    guard configuration.profile.unitTest == nil else { return false }
    return ports.unclaimedAccesses.first.contains { FirmwareConfiguration.selectorPort.contains($0.address) }
  }
}
