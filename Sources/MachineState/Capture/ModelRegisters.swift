import KVM

/// The model-specific registers that a guest has by its CPUID, and that KVM_GET_MSR_INDEX_LIST does not have: KVM lists
/// neither memory types nor machine checks, and of Hyper-V's registers only some.
enum ModelRegisters {
  private static let pat: UInt32 = 0x277
  private static let debugControl: UInt32 = 0x1d9

  /// Memory types (SDM volume 3A, section 12.11): IA32_MTRRCAP, the fixed ranges, IA32_MTRR_DEF_TYPE; then a base and a mask for
  /// each variable range. The default type, which switches all of them on, is last.
  private static let memoryTypeCapability: UInt32 = 0xfe
  private static let fixedMemoryTypes: [UInt32] = [0x250, 0x258, 0x259] + Array(0x268...0x26f)
  private static let defaultMemoryType: UInt32 = 0x2ff
  private static let variableRangeLimit: UInt64 = 40
  private static func variableMemoryTypes(_ count: UInt64) -> [UInt32] { Array(0x200..<0x200 + 2 * UInt32(count)) }

  /// Machine checks (SDM volume 3B, section 17.3): IA32_MCG_CAP, _STATUS and _CTL, four registers a bank, and where corrected
  /// errors can interrupt IA32_MCi_CTL2.
  static let machineCheckCapability: UInt32 = 0x179
  private static let machineCheckGlobals: [UInt32] = [0x179, 0x17a, 0x17b]
  private static func machineCheckBanks(_ count: UInt64, hasControl2: Bool) -> [UInt32] {
    let banks = UInt32(count)
    return Array(0x400..<0x400 + 4 * banks) + (hasControl2 ? Array(0x280..<0x280 + banks) : [])
  }

  /// Hyper-V's synthetic interrupt controller and its timers (TLFS, chapters 11 and 12): SCONTROL, SIEFP, SIMP, the SINTs; then of
  /// each timer the count before the configuration, because KVM switches a timer on or off when its count is written
  /// (`stimer_set_count`).
  private static let syntheticInterrupts: [UInt32] =
    [0x4000_0080, 0x4000_0082, 0x4000_0083] + Array(0x4000_0090...0x4000_009f)
  private static let syntheticTimers: [UInt32] = stride(from: UInt32(0x4000_00b0), to: 0x4000_00b8, by: 2).flatMap {
    [$0 + 1, $0]
  }

  /// The most of them that any guest has: as many variable ranges as have numbers below IA32_MTRR_FIX64K_00000, and 32 banks
  /// (KVM_MAX_MCE_BANKS).
  static let all = Set(
    [pat, debugControl, memoryTypeCapability, defaultMemoryType] + fixedMemoryTypes
      + variableMemoryTypes(variableRangeLimit)
      + machineCheckGlobals + machineCheckBanks(32, hasControl2: true) + syntheticInterrupts + syntheticTimers)

  /// Those that a vCPU shows its guest, in the order in which they are written. KVM may still refuse some.
  static func shown(by vcpu: VCPU) throws(KVMError) -> [UInt32] {
    let cpuid = try vcpu.cpuid()
    let features = cpuid.first { $0.function == 1 }?.edx ?? 0
    func has(_ bit: UInt32) -> Bool { features >> bit & 1 == 1 }
    var registers = [debugControl]
    if has(16) { registers.append(pat) }
    if has(12) {
      let capability = try vcpu.msrs([memoryTypeCapability]).entries.first?.value ?? 0
      registers += [memoryTypeCapability] + fixedMemoryTypes
      registers += variableMemoryTypes(min(capability & 0xff, variableRangeLimit))
      registers.append(defaultMemoryType)
    }
    if has(7) || has(14) {
      let capability = try vcpu.msrs([machineCheckCapability]).entries.first?.value ?? 0
      registers += machineCheckGlobals
      registers += machineCheckBanks(min(capability & 0xff, 32), hasControl2: capability >> 10 & 1 == 1)
    }
    let hasSynIC = vcpu.settings.capabilities.contains {
      $0.capability == .hypervSynIC || $0.capability == .hypervSynIC2
    }
    if hasSynIC { registers += syntheticInterrupts + syntheticTimers }
    return registers
  }
}
