import KVM
import Synchronization

extension Machine {
  /// Puts the guest and what it is to find into memory, and its vCPUs at its entry.
  func load(_ image: GuestImage) throws(MachineError) {
    let plan: LoadPlan
    let boot: LinuxBoot?
    do throws(ImageError) {
      plan = try image.plan(loadAddress: configuration.loadAddress)
      try plan.validate(memory: memoryForImages(plan.entry))
      boot = plan.entry.isKernel ? try LinuxBoot(plan, image, configuration, memory: memory) : nil
    } catch {
      throw .image(error)
    }
    try checkProfile(for: plan.entry)
    try memoryAccess { () throws(GuestMemoryError) in
      // Before the image: where that claims the same memory, it has it.
      if case .multiboot = plan.entry { try BIOSData(apicIDs: configuration.apicIDs).write(to: memory) }
      for segment in plan.segments {
        try memory.write(image.contents.bytes.span.extracting(segment.file), at: segment.address)
      }
      try boot?.write(to: memory)
      try writeBootStructures(plan.entry, name: image.name)
    }
    try kvmCall { () throws(KVMError) in try setInitialState(plan.entry) }
    let symbols = SymbolTable(image.contents)
    symbolTable.withLock { $0 = symbols }
  }

  /// How far up an image may reach: to what the machine itself puts there for it.
  private func memoryForImages(_ entry: LoadPlan.Entry) -> UInt64 {
    switch entry {
    case .longMode, .multiboot: layout.start
    case .realMode, .linux, .pvh: memory.lowSize
    }
  }

  /// A kernel finds nothing on a machine of Lapwing's own, nor does any other image on a kernel's.
  private func checkProfile(for entry: LoadPlan.Entry) throws(MachineError) {
    guard entry.isKernel != (configuration.profile == .linux) else { return }
    throw .configuration(
      entry.isKernel
        ? "the image is a Linux kernel, which needs the profile linux (--machine linux)"
        : "the profile linux boots Linux kernels: a bzImage, or an ELF64 file with a PVH entry")
  }

  private func writeBootStructures(_ entry: LoadPlan.Entry, name: String) throws(GuestMemoryError) {
    let structures = BootStructures(layout: layout, memory: memory)
    switch entry {
    case .realMode, .linux, .pvh: break
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
      case .linux(let address): state.enterLinux(at: address)
      case .pvh(let address): state.enterPVH(at: address)
      }
      try state.apply(to: vcpu)
      if index > 0 { try vcpu.setMPState(.runnable) }
    }
    if entry.isKernel { try setFirmwareRegisters() }
  }

  /// What a PC's firmware leaves in each processor's model-specific registers: memory is write-back by default
  /// (IA32_MTRR_DEF_TYPE), and string instructions are fast (IA32_MISC_ENABLE). One that KVM does not have stays as it is.
  private func setFirmwareRegisters() throws(KVMError) {
    let (memoryTypes, miscellaneous): (UInt32, UInt32) = (0x2ff, 0x1a0)
    for vcpu in vcpus {
      try vcpu.setMSRs([MSREntry(index: memoryTypes, value: 0x806)])
      guard let present = try vcpu.msrs([miscellaneous]).entries.first else { continue }
      try vcpu.setMSRs([MSREntry(index: miscellaneous, value: present.value | 1)])
    }
  }
}

extension Machine {
  /// Whether the guest has looked for QEMU's devices on a machine that has none of them: it is one of kvm-unit-tests' images,
  /// probably, and for the unit tests' PC.
  public var isMissingUnitTestPlatform: Bool {
    guard configuration.profile == .standard else { return false }
    return ports.unclaimedAccesses.first.contains { FirmwareConfiguration.selectorPort.contains($0.address) }
  }
}

extension Machine {
  /// The functions of the guest's image; nil where it has none, or where the machine was made from a snapshot.
  public var symbols: SymbolTable? { symbolTable.withLock { $0 } }

  /// Reads memory as a vCPU's instructions see it, page by page. Only while the vCPU does not run.
  ///
  /// - Parameters:
  ///   - address: a linear address of the guest's.
  ///   - count: how many bytes, at most 4096.
  ///   - index: the vCPU's.
  /// - Returns: the bytes up to the first that is not mapped, or is not guest memory.
  public func bytes(at address: UInt64, count: Int, of index: Int) -> [UInt8] {
    var found: [UInt8] = []
    while found.count < min(count, 4096) {
      let (next, wraps) = address.addingReportingOverflow(UInt64(found.count))
      guard !wraps, let physical = try? vcpus[index].translate(next) else { break }
      let inPage = Int(BootLayout.pageSize - next % BootLayout.pageSize)
      guard let bytes = try? memory.read(min(inPage, min(count, 4096) - found.count), at: physical) else { break }
      found += bytes
    }
    return found
  }
}
