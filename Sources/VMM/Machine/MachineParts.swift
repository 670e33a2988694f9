import KVM

/// The parts of a machine that KVM makes, in the order in which KVM wants them made.
struct MachineParts {
  let vm: VirtualMachine
  let memory: GuestMemory
  let layout: BootLayout
  let vcpus: [VCPU]

  /// Where VT-x hosts without unrestricted guests put a TSS of three pages and an identity map of one: in the hole below
  /// the BIOS, where nothing else of this machine is.
  private static let identityMapAddress: UInt64 = 0xfffb_c000
  private static let tssAddress: UInt32 = 0xfffb_d000

  init(_ configuration: MachineConfiguration, hooks: MachineHooks, system: System) throws(MachineError) {
    let memory = try kvmCall { () throws(KVMError) in try GuestMemory(size: configuration.memory) }
    guard
      let layout = BootLayout(
        top: memory.lowSize, vcpus: configuration.vcpus, logCapacity: configuration.logCapacity)
    else {
      throw .configuration(
        "\(configuration.memory >> 20) MiB are too little memory for \(configuration.vcpus) vCPUs; give more")
    }
    self.memory = memory
    self.layout = layout
    (vm, vcpus) = try kvmCall { () throws(KVMError) in
      let vm = try Self.makeVM(configuration, memory: memory, system: system)
      try hooks.prepare(vm)
      let cpuid = try CPUIDTable(system: system, configuration: configuration)
      var vcpus: [VCPU] = []
      for id in configuration.apicIDs {
        let vcpu = try vm.createVCPU(id: id)
        try vcpu.setCPUID(cpuid.entries(apicID: id))
        // This one clears the guest's pages when they are switched on, which is the machine's part with KVM_CAP_HYPERV_SYNIC2.
        if configuration.hasSynIC { try vcpu.enable(.hypervSynIC) }
        if configuration.profile.unitTest != nil {
          try vcpu.setUpMachineChecks(banks: UnitTestPlatform.machineCheckBanks)
        }
        vcpus.append(vcpu)
      }
      return (vm, vcpus)
    }
  }

  /// The parts of a machine that ran before, told what it was told.
  init(rebuilding blueprint: MachineBlueprint, memory: GuestMemory, system: System) throws(MachineError) {
    let configuration = blueprint.configuration
    guard memory.size == configuration.memory, blueprint.cpuid.count == configuration.vcpus,
      let layout = BootLayout(
        top: memory.lowSize, vcpus: configuration.vcpus, logCapacity: configuration.logCapacity)
    else { throw .configuration("memory and vCPUs are not those of the machine's configuration") }
    self.memory = memory
    self.layout = layout
    vm = try Self.remakeVM(blueprint.settings, memory: memory, system: system)
    var vcpus: [VCPU] = []
    for (index, (id, cpuid)) in zip(configuration.apicIDs, blueprint.cpuid).enumerated() {
      let vcpu = try Self.setting("vcpus[\(index)].id") { [vm] () throws(KVMError) in try vm.createVCPU(id: id) }
      try Self.setting("vcpus[\(index)].cpuid") { () throws(KVMError) in try vcpu.setCPUID(cpuid) }
      vcpus.append(vcpu)
    }
    self.vcpus = vcpus
  }

  /// Tells KVM what it was told before, and says of a refusal what it is about.
  private static func setting<Value>(
    _ path: String, _ body: () throws(KVMError) -> Value
  ) throws(MachineError) -> Value {
    do throws(KVMError) {
      return try body()
    } catch {
      throw .setting(path, error)
    }
  }

  /// In the order of `makeVM`: what a machine was told before it had an irqchip does not hurt after it, but for the split
  /// irqchip, which is one of the capabilities.
  private static func remakeVM(
    _ settings: MachineSettings, memory: GuestMemory, system: System
  ) throws(MachineError) -> VirtualMachine {
    let vm = try kvmCall { () throws(KVMError) in
      let vm = try system.createVM()
      try memory.attach(to: vm)
      return vm
    }
    if let address = settings.tssAddress {
      try setting("settings.tssAddress") { () throws(KVMError) in try vm.setTSSAddress(address) }
    }
    if let address = settings.identityMapAddress {
      try setting("settings.identityMapAddress") { () throws(KVMError) in try vm.setIdentityMapAddress(address) }
    }
    if settings.hasIRQChip { try kvmCall { () throws(KVMError) in try vm.createIRQChip() } }
    for (index, enabled) in settings.capabilities.enumerated() {
      try setting("settings.capabilities[\(index)]") { () throws(KVMError) in try vm.enable(enabled) }
    }
    if let boot = settings.bootCPU {
      try setting("settings.bootCPU") { () throws(KVMError) in try vm.setBootCPU(id: boot) }
    }
    if let kHz = settings.tscKHz {
      try setting("settings.tscKHz") { () throws(KVMError) in try vm.setTSCFrequency(kHz: kHz) }
    }
    if let filter = settings.msrFilter {
      try setting("settings.msrFilter") { () throws(KVMError) in try vm.setMSRFilter(filter) }
    }
    return vm
  }

  /// The irqchip comes before the first vCPU, which else gets no local APIC; the APIC options before that too.
  ///
  /// Memory comes before both: a change of slots has to wait for all readers of what an irqchip has just published, some
  /// milliseconds (synchronize_srcu), and for none on a machine that has nothing yet.
  private static func makeVM(
    _ configuration: MachineConfiguration, memory: GuestMemory, system: System
  ) throws(KVMError) -> VirtualMachine {
    let vm = try system.createVM()
    try memory.attach(to: vm)
    if try system.check(.setTSSAddr) > 0 { try vm.setTSSAddress(tssAddress) }
    if try system.check(.setIdentityMapAddr) > 0 { try vm.setIdentityMapAddress(identityMapAddress) }
    switch configuration.irqChip {
    case .kernel:
      try vm.createIRQChip()
    case .split:
      try vm.createSplitIRQChip(pins: InterruptController.firstFreeGSI)
    }
    if configuration.needs32BitIDs { try vm.enableX2APICAPI([.use32BitIDs, .disableBroadcastQuirk]) }
    if let boot = configuration.apicIDs.first, boot != 0 { try vm.setBootCPU(id: boot) }
    return vm
  }
}
