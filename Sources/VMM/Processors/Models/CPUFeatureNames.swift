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
