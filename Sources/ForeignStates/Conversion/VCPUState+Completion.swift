import APIC
import KVM
import MachineState
import Support

extension VCPUState {
  /// Adds what a restore wants and the stream has in another form, or not.
  ///
  /// - Parameters:
  ///   - device: the section `cpu`.
  ///   - cpuid: what CPUID answers.
  mutating func complete(_ device: QEMUDevice?, cpuid: [CPUIDEntry]) {
    self.cpuid = cpuid
    completeLocalAPIC()
    completeShadow(device)
    if let device {
      xsave = ExtendedState(device).bytes
      extendedControlRegisters = [
        ExtendedControlRegister(number: 0, value: device.number("env.xcr0").map { $0 | 1 } ?? 1)
      ]
      msrs += memoryTypes(device)
      if events.exception.pending || events.exception.injected, device.number("env.has_error_code") == 1 {
        events.exception.errorCode = UInt32(truncatingIfNeeded: device.number("env.error_code") ?? 0)
      }
    }
    // Registers that are 0 are left as a reset has them: a processor may not have them at all.
    msrs = msrs.filter { $0.value != 0 || $0.index == MSR.tscDeadline }
    // Of a SIPI that is under way alone.
    if mpState != .sipiReceived { events.sipiVector = nil }
  }

  /// The registers that follow from others. What is left of a timer's count the stream does not say: it counts anew, as it does
  /// where QEMU itself goes on (`kvm_put_apic_state`).
  private mutating func completeLocalAPIC() {
    let mode = specialRegisters.apicBase.mode
    localAPIC.version.version = 0x14
    localAPIC.version.maxLVTEntry = 5
    if mode == .x2APIC {
      // Without KVM_X2APIC_API_USE_32BIT_IDS, which QEMU enables only with a virtual IOMMU, the id is where an xAPIC has it.
      localAPIC[.id] = id << 24
      localAPIC.setLogicalID(Destination.x2APICLogicalID(of: id), mode: mode)
      localAPIC[.destinationFormat] = 0xffff_ffff
    }
    localAPIC[.currentCount] = localAPIC[.initialCount]
    localAPIC.processorPriority = Priority.processorPriority(
      taskPriority: localAPIC.taskPriority, highestInService: localAPIC.inService.highest)
    specialRegisters.cr8 = UInt64(localAPIC.taskPriority.rawValue >> 4)
  }

  /// Which shadow it is that holds back interrupts the stream does not say: that of STI needs interrupts that are on, and a
  /// processor refuses both at once (SDM volume 3C, 27.3.1.5).
  private mutating func completeShadow(_ device: QEMUDevice?) {
    guard (device?.number("env.hflags") ?? 0) >> 3 & 1 == 1 else { return }
    events.interrupt.shadow = registers.rflags >> 9 & 1 == 1 ? 2 : 1
  }

  /// The MTRRs, the default type last, which switches them on. QEMU fills up masks to 52 bits for hosts that have more bits of
  /// physical addresses; a processor takes no more than it has.
  private func memoryTypes(_ device: QEMUDevice) -> [MSREntry] {
    let bits = cpuid.first { $0.function == 0x8000_0008 }.map { UInt64($0.eax & 0xff) } ?? 36
    let addresses: UInt64 = bits < 52 ? 1 << bits - 1 : 1 << 52 - 1
    var entries: [MSREntry] = []
    let fixed: [UInt32] = [0x250, 0x258, 0x259] + Array(0x268...0x26f)
    for (index, register) in fixed.enumerated() {
      entries.append(MSREntry(index: register, value: device.number("env.mtrr_fixed[\(index)]") ?? 0))
    }
    for pair in 0..<8 {
      for (offset, name) in ["base", "mask"].enumerated() {
        entries.append(
          MSREntry(
            index: 0x200 + UInt32(2 * pair + offset),
            value: (device.number("env.mtrr_var[\(pair)].\(name)") ?? 0) & addresses))
      }
    }
    return entries + [MSREntry(index: 0x2ff, value: device.number("env.mtrr_deftype") ?? 0)]
  }
}

/// x87, SSE and AVX in the XSAVE format without compaction (SDM volume 1, 13.4), made of what QEMU keeps of them.
struct ExtendedState {
  private(set) var bytes = [UInt8](repeating: 0, count: 4096)

  /// Takes the section `cpu`.
  init(_ device: QEMUDevice) {
    func value(_ name: String) -> UInt64 { device.number("env." + name) ?? 0 }
    put(UInt16(truncatingIfNeeded: value("fpuc")), at: 0)
    put(UInt16(truncatingIfNeeded: value("fpus_vmstate")), at: 2)
    // QEMU's tag has a bit for each register that is empty, XSAVE's one for each that is not.
    bytes[4] = ~UInt8(truncatingIfNeeded: value("fptag_vmstate"))
    put(UInt32(truncatingIfNeeded: value("mxcsr")), at: 24)
    put(UInt32(0xffff), at: 28)
    for index in 0..<8 {
      // The mantissa's 64 bits, then sign and exponent, most significant byte first.
      guard let number = device.fields["env.fpregs[\(index)].tmp"], number.count == 10 else { continue }
      for (offset, byte) in (number[..<8].reversed() + number[8...].reversed()).enumerated() {
        bytes[32 + 16 * index + offset] = byte
      }
    }
    for index in 0..<16 {
      for half in 0..<2 {
        put(value("xmm_regs[0][\(index)]._q_ZMMReg[\(half)]"), at: 160 + 16 * index + 8 * half)
        put(value("xmm_regs[1][\(index)]._q_ZMMReg[\(half + 2)]"), at: 576 + 16 * index + 8 * half)
      }
    }
    // XSTATE_BV: x87 and SSE are always in use, AVX where the upper halves are.
    let hasUpperHalves = value("xcr0") & 4 != 0 && bytes[576..<832].contains { $0 != 0 }
    put(UInt64(hasUpperHalves ? 7 : 3), at: 512)
    if !hasUpperHalves { for index in 576..<832 { bytes[index] = 0 } }
  }

  private mutating func put(_ value: some FixedWidthInteger & UnsignedInteger, at offset: Int) {
    for index in 0..<value.bitWidth / 8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
  }
}
