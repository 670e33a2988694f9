import KVM

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
