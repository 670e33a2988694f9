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
