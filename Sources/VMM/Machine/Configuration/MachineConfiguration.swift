import GuestContract
public import KVM

/// What a machine is made of.
public struct MachineConfiguration: Hashable, Sendable {
  /// Where the IOAPIC and the PIC are.
  public enum IRQChip: String, Codable, Hashable, Sendable, CaseIterable {
    /// In the kernel (KVM_CREATE_IRQCHIP), with a PIT.
    case kernel
    /// The local APICs in the kernel, the IOAPIC in this process, no PIC and no PIT (KVM_CAP_SPLIT_IRQCHIP).
    case split
  }

  /// How a guest finds its local APICs when it asks nobody.
  public enum APIC: String, Codable, Hashable, Sendable, CaseIterable {
    /// CPUID has no x2APIC bit: memory-mapped registers only.
    case xAPIC = "xapic"
    /// CPUID has it.
    case x2APIC = "x2apic"
  }

  /// Who starts the application processors.
  public enum Start: String, Codable, Hashable, Sendable, CaseIterable {
    /// The guest, with INIT and SIPI; they wait in real mode.
    case sipi
    /// The machine: each begins where the bootstrap processor does, with its index in RSI.
    case direct
  }

  /// The smallest and the largest guest memory, in bytes: 1 MiB, which flat code can do with, and 64 GiB.
  public static let memoryRange: ClosedRange<UInt64> = 1 << 20...64 << 30

  /// How many vCPUs, from 1; KVM says how many are too many.
  public var vcpus = 1
  /// Guest memory in bytes, a multiple of 4 KiB. It costs host memory only where the guest touches it.
  public var memory: UInt64 = 64 << 20
  /// Where the interrupt controllers are.
  public var irqChip = IRQChip.kernel
  /// What the guest is told of its local APICs.
  public var apic = APIC.x2APIC
  /// Who starts the application processors.
  public var start = Start.sipi
  /// The vCPUs' APIC ids by index, the bootstrap processor's first; empty for 0, 1, 2 and so on.
  public var vcpuIDs: [UInt32] = []
  /// The text that a guest finds as its arguments.
  public var arguments = ""
  /// Where a flat image goes; nil for an image that says it itself.
  public var loadAddress: UInt64?
  /// What kind of PC it is.
  public var profile = MachineProfile.standard
  /// The processor that the guest sees; nil for all that this host's KVM supports. A model that is set sets `apic`: it
  /// says itself whether there is x2APIC.
  public var cpu: CPUModel? {
    didSet { if let cpu { apic = cpu.has(.x2APIC) ? .x2APIC : .xAPIC } }
  }
  /// The virtio devices on its PCI bus, in order; a standard machine without any has no such bus.
  public var virtio: [VirtioDevice] = []
  /// How many log records the guest has room for.
  public var logCapacity: UInt64 = 1 << 16

  /// The APIC id of every vCPU, by index.
  public var apicIDs: [UInt32] { vcpuIDs.isEmpty ? (0..<UInt32(clamping: vcpus)).map(\.self) : vcpuIDs }

  /// Whether ids have 32 bits wherever KVM is told of one, and 0xff is no broadcast. In xAPIC mode ids have 8 bits and
  /// 0xff is the broadcast, as ever; and unit tests ask for the broadcast as processors have it, where no id needs more.
  var needs32BitIDs: Bool {
    switch profile {
    case .standard, .linux: apic == .x2APIC
    case .unitTest: apic == .x2APIC && apicIDs.contains { $0 >= 255 }
    }
  }

  /// Whether vCPUs have Hyper-V's synthetic interrupt controller.
  public var hasSynIC: Bool { cpu?.hasSynIC ?? false }

  /// One vCPU, 64 MiB, everything in the kernel, x2APIC.
  public init() {}
}

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
    // Before anything is made of the number.
    let most = try kvmCall { () throws(KVMError) in
      try max(value(.maxVCPUs), value(.nrVCPUs), 1)
    }
    guard vcpus <= most else { throw .configuration("this host runs at most \(most) vCPUs, not \(vcpus)") }
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
    // A kernel says itself how much it takes.
    guard profile == .linux || arguments.utf8.count < Int(LAPWING_ARGUMENT_LIMIT) else {
      throw .configuration("the guest's arguments have at most \(LAPWING_ARGUMENT_LIMIT - 1) bytes")
    }
    guard profile != .linux || start == .sipi else {
      throw .configuration("a Linux kernel starts its processors itself: the start is sipi, not direct")
    }
    // An xAPIC id has 8 bits, of which 0xff is the broadcast (SDM volume 3A, section 12.4.6).
    guard apic == .x2APIC || apicIDs.allSatisfy({ $0 < 255 }) else {
      throw .configuration("with xAPIC an APIC id is at most 254, so there are at most 255 vCPUs; use x2APIC")
    }
    if let environment = profile.unitTest?.environment, environment.count > UnitTestPlatform.environmentLimit {
      throw .configuration("the environment has at most \(UnitTestPlatform.environmentLimit) bytes")
    }
    guard virtio.count <= VirtioDevice.limit else {
      throw .configuration("a machine has at most \(VirtioDevice.limit) virtio devices, not \(virtio.count)")
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
    if !virtio.isEmpty { needs += [(.irqFD, "a virtio device"), (.ioEventFD, "a virtio device")] }
    if needs32BitIDs { needs.append((.x2APICAPI, "x2APIC with 32-bit ids")) }
    if let hyperV = cpu?.hyperV, !hyperV.isEmpty {
      let names = hyperV.names.joined(separator: ",")
      needs.append((.sysHypervCPUID, "telling the guest of Hyper-V (\(names))"))
      if hasSynIC { needs.append((.hypervSynIC, "Hyper-V's interrupt controller (\(names))")) }
    }
    return needs
  }
}

/// What kind of PC a machine is.
public enum MachineProfile: Hashable, Sendable {
  /// Lapwing's own: a console, an exit, a reset, and what its guests talk to.
  case standard
  /// The PC that kvm-unit-tests' images look for: what QEMU's `pc` shows them with its test devices.
  case unitTest(UnitTestPlatform)
  /// A PC that a Linux kernel finds its way about by ACPI: COM1, a clock, a PCI bus, power-off and reset.
  case linux

  /// `standard`, `unittest` or `linux`, as the program's option `--machine` has it.
  public var name: String {
    switch self {
    case .standard: "standard"
    case .unitTest: "unittest"
    case .linux: "linux"
    }
  }

  /// How much memory a machine for Linux has unless it is told otherwise: 512 MiB.
  public static let linuxMemory: UInt64 = 512 << 20
}

/// What of the unit tests' PC can be chosen.
public struct UnitTestPlatform: Hashable, Sendable {
  /// How much memory QEMU gives a machine that is not told: 128 MiB.
  public static let defaultMemory: UInt64 = 128 << 20

  /// The largest environment, in bytes: more than the suite's images read.
  public static let environmentLimit = 60 << 10

  /// How many machine-check banks QEMU's processors have.
  static let machineCheckBanks: UInt8 = 10

  /// Whether there is a PIT. Its presence alone keeps some processors from delivering interrupts themselves.
  public var hasPIT = true
  /// A text that the guest finds as its first Multiboot module; empty for none. The suite reads `NAME=value` lines.
  public var environment: [UInt8] = []

  /// With a PIT, without an environment.
  public init() {}
}

extension MachineProfile {
  /// The options of the unit tests' PC, on one.
  var unitTest: UnitTestPlatform? {
    if case .unitTest(let platform) = self { platform } else { nil }
  }
}

extension MachineConfiguration {
  /// Makes it the unit tests' PC, with the 128 MiB and the processor that QEMU gives it unless told otherwise.
  ///
  /// - Parameters:
  ///   - platform: what of it can be chosen.
  ///   - cpu: the processor.
  public mutating func become(_ platform: UnitTestPlatform, cpu: CPUModel) {
    profile = .unitTest(platform)
    memory = UnitTestPlatform.defaultMemory
    self.cpu = cpu
  }
}

/// What the owner of a machine does itself, where the machine would not do it.
public struct MachineHooks: Sendable {
  /// Called with the virtual machine once it has its irqchip and its memory, before its first vCPU.
  public var prepare: @Sendable (VirtualMachine) throws(KVMError) -> Void

  /// Called once with what a device may use, before anything runs: the owner's devices, which the machine puts beside its
  /// own. A state does not have what they hold (`Machine.deviceStates`): a machine that is made again asks for them anew.
  public var devices: @Sendable (DeviceSite) -> [AttachedDevice]

  /// Called on a vCPU's thread with an exit that the machine has no answer for; says whether it was answered. One that
  /// is not ends the machine.
  public var answer: @Sendable (VCPU, Exit) -> Bool

  /// Hooks that do nothing, but for those that are given.
  public init(
    prepare: @escaping @Sendable (VirtualMachine) throws(KVMError) -> Void = { _ in },
    answer: @escaping @Sendable (VCPU, Exit) -> Bool = { _, _ in false },
    devices: @escaping @Sendable (DeviceSite) -> [AttachedDevice] = { _ in [] }
  ) {
    self.prepare = prepare
    self.devices = devices
    self.answer = answer
  }
}
