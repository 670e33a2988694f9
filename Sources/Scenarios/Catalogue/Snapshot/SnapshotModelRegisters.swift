import APIC
import KVM
import MachineState
import VMM

/// What a guest wrote into its model-specific registers, over a restore.
extension Scenario {
  /// Every register that takes a value, on two vCPUs with values of their own.
  static let snapshotModelRegisters = Scenario(
    "snapshot.model-registers", "Every model-specific register that the guest wrote reads the same after a restore",
    vcpus: 2,
    exercises: [
      "kvm_mtrr_set_msr", "set_msr_mce", "kvm_set_msr_common", "KVM_GET_MSRS", "SDM 3A 12.11", "SDM 3B 17.3",
    ]
  ) { test in
    var written: [(vcpu: AgentVCPU, index: UInt32, value: UInt64)] = []
    try test.stimulus {
      for (number, vcpu) in test.vcpus.enumerated() {
        for (index, value) in ModelRegisterValues.all(variant: number) {
          guard try vcpu.faultReadingMSR(index) == nil else { continue }
          let before = try vcpu.readMSR(index)
          guard try vcpu.faultWritingMSR(index, value) == nil else { continue }
          let taken = try vcpu.readMSR(index)
          if taken != before { written.append((vcpu, index, taken)) }
        }
      }
    }
    for vcpu in test.vcpus {
      let count = written.count { $0.vcpu.index == vcpu.index }
      test.note("registers that vCPU \(vcpu.index) wrote", count)
      // SYSENTER, STAR, LSTAR and FMASK are there on every processor of 64 bits.
      try test.check("vCPU \(vcpu.index) has registers that it can write", count >= 4, saw: count)
    }
    for generation in 1...2 {
      try test.hop()
      for (vcpu, index, value) in written {
        let name = "MSR 0x\(String(index, radix: 16)) of vCPU \(vcpu.index) in generation \(generation)"
        try test.check(name, try vcpu.readMSR(index), equals: value)
      }
    }
  }
}

/// Values that the registers may have and do not have at reset.
private enum ModelRegisterValues {
  /// Register and value, in the order in which they are written.
  ///
  /// - Parameter variant: 0 or 1, for values that differ.
  static func all(variant: Int) -> [(index: UInt32, value: UInt64)] {
    systemCalls(UInt64(variant + 1)) + memoryTypes(UInt64(variant)) + machineChecks(UInt64(variant + 1))
  }

  /// IA32_SYSENTER_CS, _ESP and _EIP, STAR, LSTAR, CSTAR, FMASK, KERNEL_GS_BASE, TSC_AUX, which the agent does not use.
  private static func systemCalls(_ number: UInt64) -> [(index: UInt32, value: UInt64)] {
    [
      (0x174, 0x10 * number), (0x175, 0x1000 * number), (0x176, 0x2000 * number),
      (0xc000_0081, 0x0013_0008_0000_0000 * number), (0xc000_0082, 0x10_0000 * number),
      (0xc000_0083, 0x20_0000 * number), (0xc000_0084, 0x700 * number), (0xc000_0102, 0x30_0000 * number),
      (0xc000_0103, 5 * number),
    ]
  }

  /// IA32_PAT, the fixed ranges, eight variable ranges, IA32_MTRR_DEF_TYPE with everything on. Write-back is the default in
  /// either variant, so that the agent stays as fast as it is.
  private static func memoryTypes(_ number: UInt64) -> [(index: UInt32, value: UInt64)] {
    var values: [(index: UInt32, value: UInt64)] = [(0x277, 0x0007_0406_0107_0406 - number << 24)]
    for index in [0x250, 0x258, 0x259] + Array(0x268...0x26f) as [UInt32] {
      values.append((index, 0x0606_0505_0404_0606 + number << 32))
    }
    for pair in 0..<8 as Range<UInt32> {
      values.append((0x200 + 2 * pair, UInt64(pair + 1) << 24 + number << 12 | 6))
      values.append((0x201 + 2 * pair, 0xf_ff00_0800 + number << 12))
    }
    return values + [(0x2ff, 0xc06)]
  }

  /// IA32_MCG_STATUS, and of each bank CTL, ADDR and MISC; a guest may write its STATUS with 0 alone.
  private static func machineChecks(_ number: UInt64) -> [(index: UInt32, value: UInt64)] {
    var values: [(index: UInt32, value: UInt64)] = [(0x17a, number)]
    for bank in 0..<32 as Range<UInt32> {
      values.append((0x400 + 4 * bank, number == 1 ? .max : 0))
      values.append((0x402 + 4 * bank, 0x1000 * UInt64(bank + 1) * number))
      values.append((0x403 + 4 * bank, UInt64(bank + 1) * number))
    }
    return values
  }
}

/// What kvmclock tells a guest of a snapshot.
extension Scenario {
  /// To the guest that was only paused, to the one that was saved and goes on, and to the one that was made of it.
  static let snapshotClock = Scenario(
    "snapshot.kvmclock", "A guest is told by kvmclock that it was paused, after a pause, a capture and a restore",
    exercises: ["kvm_set_guest_paused", "kvm_guest_time_update", "KVM_KVMCLOCK_CTRL", "PVCLOCK_GUEST_STOPPED"]
  ) { test in
    let (vcpu, area) = (test[vcpu: 0], UInt64(0x9000))
    /// `flags` of `struct pvclock_vcpu_time_info` (virt/kvm/x86/msr.rst), in the word at its offset 28.
    func isStopped() throws -> Bool { try vcpu.readMemory(area + 28) >> 8 & 2 != 0 }
    /// As a guest does that has seen it.
    func forget() throws { try vcpu.writeMemory(area + 28, try vcpu.readMemory(area + 28) & ~0x200) }
    for offset in stride(from: UInt64(0), to: 32, by: 4) { try vcpu.writeMemory(area + offset, 0) }
    try vcpu.writeMSR(MSR.systemTime, area | 1)
    try test.until("kvmclock runs") { try vcpu.readMemory(area) > 0 }
    try test.check("the guest is told before it was paused", try isStopped(), equals: false)
    try test.stimulus {
      try test.machine.pause()
      test.machine.resume()
    }
    try test.until("the guest is told after a pause") { try isStopped() }
    try forget()
    _ = try test.capture()
    try test.until("the guest is told after a capture") { try isStopped() }
    try forget()
    try test.check("it is told once", try isStopped(), equals: false)
    try test.hop()
    try test.until("the guest is told after a restore") { try isStopped() }
    try vcpu.writeMSR(MSR.systemTime, 0)
  }
}
