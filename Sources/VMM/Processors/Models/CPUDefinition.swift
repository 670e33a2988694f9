/// A CPU model: who it says that it is, and its features.
struct CPUDefinition: Hashable, Sendable {
  let name: String
  /// The vendor's twelve characters; nil for the host's, as QEMU has it with KVM.
  var vendor: String?
  /// Family, model and stepping as leaf 1 has them in EAX; nil for the host's.
  var signature: UInt32?
  /// The highest basic and extended leaves; nil for the host's.
  var levels: (basic: UInt32, extended: UInt32)?
  /// The text of leaves 80000002h to 80000004h; nil for the host's.
  var brand: String?
  /// Its features by word; nil for all that KVM supports.
  var features: [CPUFeature.Word: UInt32]?

  func has(_ feature: CPUFeature) -> Bool {
    guard let features else { return true }
    return (features[feature.word] ?? 0) & feature.mask != 0
  }

  static func == (first: Self, second: Self) -> Bool { first.name == second.name }
  func hash(into hasher: inout Hasher) { hasher.combine(name) }

  /// A model with these features, beside those that KVM gives every guest of QEMU's: x2APIC, a hypervisor's bit, and the
  /// paravirtual leaf (`kvm_default_props` of QEMU's target/i386/kvm/kvm-cpu.c names them).
  init(
    _ name: String, family: UInt32, model: UInt32, stepping: UInt32, levels: (basic: UInt32, extended: UInt32),
    brand: String, _ features: String...
  ) {
    self.name = name
    signature = Self.signature(family: family, model: model, stepping: stepping)
    self.levels = levels
    self.brand = brand
    var words: [CPUFeature.Word: UInt32] = [:]
    for feature in (features + [Self.underKVM]).flatMap({ $0.split(separator: " ") }) {
      // A test looks every name up; one that is none would be a model without it.
      guard let feature = CPUFeature(named: String(feature)) else { continue }
      words[feature.word, default: 0] |= feature.mask
    }
    self.features = words
  }

  /// All that the host's KVM supports.
  init(host name: String) {
    self.name = name
  }

  private static let underKVM = """
    x2apic hypervisor kvmclock kvm-nopiodelay kvmclock2 kvm-asyncpf kvm-steal-time kvm-pv-eoi \
    kvmclock-stable-bit
    """

  /// Leaf 1, EAX: the extended family counts from 15, the extended model is the model's high digit (SDM volume 2A, CPUID).
  private static func signature(family: UInt32, model: UInt32, stepping: UInt32) -> UInt32 {
    let base = min(family, 15)
    return (family - base) << 20 | (model >> 4) << 16 | base << 8 | (model & 15) << 4 | stepping
  }
}
