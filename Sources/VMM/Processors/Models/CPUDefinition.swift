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

extension CPUDefinition {
  /// The models, by the names that kvm-unit-tests' configuration has for them.
  static let all: [CPUDefinition] = [
    CPUDefinition(host: "host"),
    CPUDefinition(host: "max"),
    qemu64,
    CPUDefinition(
      "kvm64", family: 15, model: 6, stepping: 1, levels: (0xd, 0x8000_0008), brand: "Common KVM processor", pentiumPro,
      "vme mtrr clflush mca pse36 pni cx16 lm syscall nx"),
    opteronG1,
    CPUDefinition(
      "IvyBridge", family: 6, model: 58, stepping: 9, levels: (0xd, 0x8000_0008),
      brand: "Intel Xeon E3-12xx v2 (Ivy Bridge)", intel, ivyBridge),
    CPUDefinition(
      "Skylake-Server", family: 6, model: 85, stepping: 4, levels: (0xd, 0x8000_0008),
      brand: "Intel Xeon Processor (Skylake)", intel, ivyBridge,
      """
      fma movbe pcid abm 3dnowprefetch bmi1 hle avx2 bmi2 invpcid rtm rdseed adx smap clwb avx512f avx512dq avx512bw \
      avx512cd avx512vl clflushopt pku xsavec xgetbv1 pdpe1gb
      """),
  ]

  static let qemu64 = CPUDefinition(
    "qemu64", family: 15, model: 107, stepping: 1, levels: (0xd, 0x8000_000a), brand: "QEMU Virtual CPU version 2.5+",
    pentiumPro, "mtrr clflush mca pse36 pni cx16 lm syscall nx lahf-lm")

  /// What every processor since the Pentium Pro with SSE2 has.
  private static let pentiumPro = "fpu de pse tsc msr mce cx8 pge cmov pat fxsr mmx sse sse2 pae sep apic"

  private static let intel = """
    vme mtrr clflush mca pse36 pni pclmulqdq ssse3 cx16 sse4.1 sse4.2 popcnt tsc-deadline aes lm syscall nx rdtscp lahf-lm
    """

  private static let ivyBridge = "\(pentiumPro) xsave avx f16c rdrand fsgsbase smep erms xsaveopt arat"

  private static var opteronG1: CPUDefinition {
    var definition = CPUDefinition(
      "Opteron_G1", family: 15, model: 6, stepping: 1, levels: (5, 0x8000_0008),
      brand: "AMD Opteron 240 (Gen 1 Class Opteron)", pentiumPro, "vme mtrr clflush mca pse36 pni lm syscall nx")
    definition.vendor = "AuthenticAMD"
    return definition
  }
}
