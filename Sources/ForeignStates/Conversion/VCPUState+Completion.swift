import APIC
import KVM
import MachineState

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
