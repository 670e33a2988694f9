/// A bit of CPUID that says what a processor can do, by the name that Linux and QEMU have for it.
public struct CPUFeature: Hashable, Sendable {
  /// The register of a leaf's answer.
  public enum Register: Hashable, Sendable {
    /// EAX.
    case eax
    /// EBX.
    case ebx
    /// ECX.
    case ecx
    /// EDX.
    case edx
  }

  /// A register of a leaf's answer: 32 features.
  public struct Word: Hashable, Sendable {
    /// The leaf.
    public let function: UInt32
    /// The subleaf.
    public let index: UInt32
    /// The register.
    public let register: Register

    init(_ function: UInt32, _ register: Register, index: UInt32 = 0) {
      self.function = function
      self.index = index
      self.register = register
    }
  }

  /// Where it is.
  public let word: Word
  /// Which bit of it, 0 to 31.
  public let bit: Int
  /// The bit's value.
  public var mask: UInt32 { 1 << UInt32(bit) }

  /// The feature of that name, such as `x2apic` or `tsc-deadline`; `-` and `_` are the same. Nil for an unknown one.
  public init?(named name: String) {
    let wanted = name.replacing("_", with: "-")
    guard let feature = Self.byName[wanted] else { return nil }
    self = feature
  }

  init(_ word: Word, bit: Int) {
    self.word = word
    self.bit = bit
  }

  /// x2APIC mode (SDM volume 2A, CPUID, leaf 1 ECX).
  static let x2APIC = CPUFeature(.leaf1ECX, bit: 21)
  /// The local APIC timer's TSC-deadline mode.
  static let tscDeadline = CPUFeature(.leaf1ECX, bit: 24)
  /// Runs under a hypervisor.
  static let hypervisor = CPUFeature(.leaf1ECX, bit: 31)

  private static let byName: [String: CPUFeature] = {
    var features: [String: CPUFeature] = [:]
    for (word, names) in CPUFeatureNames.words {
      for (bit, name) in names.split(separator: " ").enumerated() where name != "." {
        for alias in name.split(separator: "|") { features[String(alias)] = CPUFeature(word, bit: bit) }
      }
    }
    return features
  }()
}

extension CPUFeature.Word {
  static let leaf1ECX = Self(1, .ecx)
  static let leaf1EDX = Self(1, .edx)
  static let thermal = Self(6, .eax)
  static let leaf7EBX = Self(7, .ebx)
  static let leaf7ECX = Self(7, .ecx)
  static let leaf7EDX = Self(7, .edx)
  static let leaf7Sub1EAX = Self(7, .eax, index: 1)
  static let leaf7Sub2EDX = Self(7, .edx, index: 2)
  static let xsave = Self(0xd, .eax, index: 1)
  static let extendedECX = Self(0x8000_0001, .ecx)
  static let extendedEDX = Self(0x8000_0001, .edx)
  static let power = Self(0x8000_0007, .edx)
  static let addressSizes = Self(0x8000_0008, .ebx)
  static let svm = Self(0x8000_000a, .edx)
  static let extended21 = Self(0x8000_0021, .eax)
  static let kvm = Self(0x4000_0001, .eax)
}

/// The names of CPUID's feature bits, from bit 0 upwards: Linux's (arch/x86/include/asm/cpufeatures.h) in QEMU's spelling,
/// `.` for a bit without a name, `|` between two names of one.
enum CPUFeatureNames {
  /// Whether the register is one of features.
  static func hasNames(_ word: CPUFeature.Word) -> Bool { known.contains(word) }

  private static let known = Set(words.map(\.0))

  static let words: [(CPUFeature.Word, String)] = [
    (
      .leaf1ECX,
      """
      pni|sse3 pclmulqdq|pclmuldq dtes64 monitor ds-cpl vmx smx est tm2 ssse3 cid . fma cx16 xtpr pdcm . pcid dca \
      sse4.1|sse4-1 sse4.2|sse4-2 x2apic movbe popcnt tsc-deadline aes xsave osxsave avx f16c rdrand hypervisor
      """
    ),
    (
      .leaf1EDX,
      """
      fpu vme de pse tsc msr pae mce cx8 apic . sep mtrr pge mca cmov pat pse36 pn clflush|clfsh . ds acpi mmx fxsr sse \
      sse2 ss ht tm ia64 pbe
      """
    ),
    (.thermal, ". . arat"),
    (
      .leaf7EBX,
      """
      fsgsbase tsc-adjust sgx bmi1 hle avx2 fdp-excptn-only smep bmi2 erms invpcid rtm . zero-fcs-fds mpx rdt-a avx512f \
      avx512dq rdseed adx smap avx512ifma pcommit clflushopt clwb intel-pt avx512pf avx512er avx512cd sha-ni avx512bw \
      avx512vl
      """
    ),
    (
      .leaf7ECX,
      """
      . avx512vbmi umip pku ospke waitpkg avx512vbmi2 cet-ss|shstk gfni vaes vpclmulqdq avx512vnni avx512bitalg . \
      avx512-vpopcntdq . la57 . . . . . rdpid . bus-lock-detect cldemote . movdiri movdir64b . sgxlc pks
      """
    ),
    (
      .leaf7EDX,
      """
      . . avx512-4vnniw avx512-4fmaps fsrm . . . avx512-vp2intersect . md-clear . . . serialize . tsx-ldtrk . . arch-lbr \
      cet-ibt|ibt . amx-bf16 avx512-fp16 amx-tile amx-int8 spec-ctrl stibp flush-l1d arch-capabilities core-capability ssbd
      """
    ),
    (
      .leaf7Sub1EAX,
      """
      sha512 sm3 sm4 . avx-vnni avx512-bf16 . cmpccxadd . . fzrm fsrs fsrc . . . . fred lkgs wrmsrns . amx-fp16 . \
      avx-ifma . . lam . . . . .
      """
    ),
    (.leaf7Sub2EDX, "intel-psfd ipred-ctrl rrsba-ctrl ddpd-u bhi-ctrl mcdt-no"),
    (.xsave, "xsaveopt xsavec xgetbv1 xsaves xfd"),
    (
      .extendedECX,
      """
      lahf-lm cmp-legacy svm extapic cr8legacy abm|lzcnt sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt . lwp \
      fma4 tce . nodeid-msr . tbm topoext perfctr-core perfctr-nb
      """
    ),
    (
      .extendedEDX,
      ". . . . . . . . . . . syscall . . . . . . . . nx|xd . mmxext . . fxsr-opt|ffxsr pdpe1gb rdtscp . lm|i64 3dnowext 3dnow"
    ),
    (.power, ". . . . . . . . invtsc"),
    (
      .addressSizes,
      """
      clzero . xsaveerptr . rdpru . . . . wbnoinvd . . ibpb . ibrs amd-stibp . stibp-always-on . . . . . . amd-ssbd \
      virt-ssbd amd-no-ssb . amd-psfd
      """
    ),
    (
      .svm,
      """
      npt lbrv svm-lock nrip-save tsc-scale vmcb-clean flushbyasid decodeassists . . pause-filter . pfthreshold avic . \
      v-vmsave-vmload vgif . . . . . . . . vnmi
      """
    ),
    (
      .extended21,
      "no-nested-data-bp . lfence-always-serializing . . . null-sel-clr-base . auto-ibrs"
    ),
    (
      .kvm,
      """
      kvmclock kvm-nopiodelay kvm-mmu kvmclock2 kvm-asyncpf kvm-steal-time kvm-pv-eoi kvm-pv-unhalt . kvm-pv-tlb-flush . \
      kvm-pv-ipi kvm-poll-control kvm-pv-sched-yield kvm-asyncpf-int kvm-msi-ext-dest-id . . . . . . . . \
      kvmclock-stable-bit
      """
    ),
  ]
}
