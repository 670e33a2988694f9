public import KVM

/// What CPUID tells a guest: all that this host's KVM supports, or what of it a model has, with each vCPU's own APIC id and
/// the machine's APIC mode.
struct CPUIDTable {
  private enum Leaf1 {
    static let x2APIC: UInt32 = 1 << 21
    static let tscDeadline: UInt32 = 1 << 24
    static let hyperThreading: UInt32 = 1 << 28
    static let hypervisor: UInt32 = 1 << 31
  }

  private let supported: [CPUIDEntry]
  private let vcpus: UInt32
  private let hasX2APIC: Bool
  private let hasTSCDeadline: Bool
  /// Whether there is a leaf 0Bh.
  private let hasTopology: Bool
  /// Whether the guest is told that it is one, and so to look for KVM's leaves.
  private let hasHypervisor: Bool

  init(system: System, configuration: MachineConfiguration) throws(KVMError) {
    // The topology leaves are written anew for each vCPU.
    let all = try system.supportedCPUID().filter { $0.function != 0xb && $0.function != 0x1f }
    let shown = configuration.cpu?.entries(of: all) ?? all
    if let hyperV = configuration.cpu?.hyperV, !hyperV.isEmpty {
      supported = HyperVLeaves(hyperV, supported: try system.supportedHyperVCPUID()).added(to: shown)
    } else {
      supported = shown
    }
    vcpus = UInt32(configuration.vcpus)
    hasX2APIC = configuration.apic == .x2APIC
    let wantsTSCDeadline = configuration.cpu?.has(.tscDeadline) ?? true
    hasTSCDeadline = try system.check(.tscDeadlineTimer) > 0 && wantsTSCDeadline
    hasHypervisor = configuration.profile == .linux
    hasTopology = configuration.cpu?.definition.levels.map { $0.basic >= 0xb } ?? true
  }

  /// The table of the vCPU with that APIC id.
  func entries(apicID: UInt32) -> [CPUIDEntry] {
    supported.map { customize($0, apicID: apicID) } + (hasTopology ? topology(apicID: apicID) : [])
  }

  private func customize(_ entry: CPUIDEntry, apicID: UInt32) -> CPUIDEntry {
    var entry = entry
    switch entry.function {
    case 0: entry.eax = hasTopology ? max(entry.eax, 0xb) : entry.eax
    case 1:
      // Initial APIC id in EBX 31:24, logical processors in 23:16 (SDM volume 2A, CPUID).
      entry.ebx = (apicID & 0xff) << 24 | min(vcpus, 0xff) << 16 | entry.ebx & 0xffff
      // KVM shows TSC-deadline itself only since it can count on the VMM's irqchip (KVM_CAP_TSC_DEADLINE_TIMER).
      set(Leaf1.x2APIC, hasX2APIC, in: &entry.ecx)
      set(Leaf1.tscDeadline, hasTSCDeadline, in: &entry.ecx)
      if hasHypervisor { set(Leaf1.hypervisor, true, in: &entry.ecx) }
      set(Leaf1.hyperThreading, vcpus > 1, in: &entry.edx)
    case 0x8000_001e: entry.eax = apicID
    default: break
    }
    return entry
  }

  /// Leaf 0Bh: one thread a core, all cores in one package; EDX is the x2APIC id at every level.
  private func topology(apicID: UInt32) -> [CPUIDEntry] {
    let packageShift = UInt32(UInt32.bitWidth - (max(vcpus, 1) - 1).leadingZeroBitCount)
    return [
      CPUIDEntry(function: 0xb, index: 0, hasSignificantIndex: true, eax: 0, ebx: 1, ecx: 1 << 8, edx: apicID),
      CPUIDEntry(
        function: 0xb, index: 1, hasSignificantIndex: true, eax: packageShift, ebx: vcpus, ecx: 2 << 8 | 1, edx: apicID),
      CPUIDEntry(function: 0xb, index: 2, hasSignificantIndex: true, ecx: 2, edx: apicID),
    ]
  }

  private func set(_ bit: UInt32, _ value: Bool, in register: inout UInt32) {
    register = value ? register | bit : register & ~bit
  }
}

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

/// CPUID as a guest finds it that is told of Hyper-V: its leaves from 40000000h on, where KVM's own are otherwise, and
/// KVM's from 40000100h on (Linux, Documentation/virt/kvm/x86/cpuid.rst: a guest looks for them at each multiple of 100h).
struct HyperVLeaves {
  private static let base: UInt32 = 0x4000_0000
  private static let kvmBase: UInt32 = 0x4000_0100
  /// The last leaf that has what a guest of this machine needs: of limits. Those above are of nested hypervisors and of the
  /// synthetic debugger.
  private static let last: UInt32 = 0x4000_0005

  private let features: HyperVFeatures
  private let supported: [CPUIDEntry]

  /// - Parameter supported: Hyper-V's leaves as KVM has them (KVM_GET_SUPPORTED_HV_CPUID).
  init(_ features: HyperVFeatures, supported: [CPUIDEntry]) {
    self.features = features
    self.supported = supported
  }

  /// What CPUID answers otherwise, with Hyper-V's leaves.
  func added(to entries: [CPUIDEntry]) -> [CPUIDEntry] {
    let others = entries.map { entry in
      guard (Self.base..<Self.kvmBase).contains(entry.function) else { return entry }
      var moved = entry
      moved.function += Self.kvmBase - Self.base
      // The highest of KVM's leaves; some kernels say 0 for the first after it.
      if moved.function == Self.kvmBase, moved.eax != 0 { moved.eax += Self.kvmBase - Self.base }
      return moved
    }
    return others + supported.filter { $0.function <= Self.last }.map(shown)
  }

  private func shown(_ entry: CPUIDEntry) -> CPUIDEntry {
    var entry = entry
    func shown(_ register: CPUFeature.Register, _ value: UInt32) -> UInt32 {
      features.bits(of: CPUFeature.Word(entry.function, register), supported: value)
    }
    switch entry.function {
    case Self.base: entry.eax = Self.last
    case 0x4000_0003:
      (entry.eax, entry.ebx, entry.edx) = (shown(.eax, entry.eax), shown(.ebx, entry.ebx), shown(.edx, entry.edx))
    // EBX is how often to try a lock before the hypervisor is told: a number.
    case 0x4000_0004: entry.eax = shown(.eax, entry.eax)
    default: break
    }
    return entry
  }
}
