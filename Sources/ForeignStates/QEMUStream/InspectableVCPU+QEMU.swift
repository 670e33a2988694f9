import APIC
import KVM
import MachineState

extension InspectableVCPU {
  /// Takes the section `cpu` (QEMU, target/i386/machine.c).
  mutating func fill(fromQEMU device: QEMUDevice) {
    func value(_ name: String) -> UInt64 { device.number("env." + name) ?? 0 }
    if let numbers = device.numbers("env.regs", count: 16) {
      let paths: [WritableKeyPath<Registers, UInt64>] = [
        \.rax, \.rcx, \.rdx, \.rbx, \.rsp, \.rbp, \.rsi, \.rdi, \.r8, \.r9, \.r10, \.r11, \.r12, \.r13, \.r14, \.r15,
      ]
      for (path, number) in zip(paths, numbers) { values.registers[keyPath: path] = number }
      values.registers.rip = value("eip")
      values.registers.rflags = value("eflags")
      fill(.general)
    }
    if device.number("env.cr[0]") != nil {
      values.specialRegisters.cr0 = value("cr[0]")
      values.specialRegisters.cr2 = value("cr[2]")
      values.specialRegisters.cr3 = value("cr[3]")
      values.specialRegisters.cr4 = value("cr[4]")
      values.specialRegisters.efer = value("efer")
      fill(.control)
    }
    fillSegments(fromQEMU: device)
    if let debug = device.numbers("env.dr", count: 8) {
      (values.debugRegisters.dr0, values.debugRegisters.dr1) = (debug[0], debug[1])
      (values.debugRegisters.dr2, values.debugRegisters.dr3) = (debug[2], debug[3])
      (values.debugRegisters.dr6, values.debugRegisters.dr7) = (debug[6], debug[7])
      fill(.debug)
    }
    if let number = device.number("env.mp_state"), let state = MPState(rawValue: UInt32(truncatingIfNeeded: number)) {
      values.mpState = state
      fill(.mpState)
    }
    fillEvents(fromQEMU: device)
    values.msrs = Self.modelRegisters(ofQEMU: device)
    fill(.deadline)
    if let frequency = device.signed("env.tsc_khz"), let kHz = UInt32(exactly: frequency), kHz > 0 {
      values.tscKHz = kHz
      fill(.tscFrequency)
    }
  }

  /// Takes what QEMU knows of a processor that is halted where it has no in-kernel local APIC: TCG keeps no MP state, and says that
  /// each of its processors can run.
  mutating func fill(isHalted: Bool, waitsForSIPI: Bool) {
    guard isHalted, values.mpState == .runnable else { return }
    values.mpState = waitsForSIPI ? .initReceived : .halted
    fill(.mpState)
  }

  private mutating func fillSegments(fromQEMU device: QEMUDevice) {
    func segment(_ name: String) -> Segment {
      func field(_ member: String) -> UInt64 { device.number("env.\(name).\(member)") ?? 0 }
      var segment = Segment()
      segment.base = field("base")
      segment.limit = UInt32(truncatingIfNeeded: field("limit"))
      segment.selector = UInt16(truncatingIfNeeded: field("selector"))
      segment.take(descriptor: UInt32(truncatingIfNeeded: field("flags")))
      return segment
    }
    guard device.number("env.segs[0].selector") != nil else { return }
    values.specialRegisters.es = segment("segs[0]")
    values.specialRegisters.cs = segment("segs[1]")
    values.specialRegisters.ss = segment("segs[2]")
    values.specialRegisters.ds = segment("segs[3]")
    values.specialRegisters.fs = segment("segs[4]")
    values.specialRegisters.gs = segment("segs[5]")
    values.specialRegisters.ldt = segment("ldt")
    values.specialRegisters.tr = segment("tr")
    func table(_ name: String) -> DescriptorTable {
      let whole = segment(name)
      return DescriptorTable(base: whole.base, limit: UInt16(truncatingIfNeeded: whole.limit))
    }
    values.specialRegisters.gdt = table("gdt")
    values.specialRegisters.idt = table("idt")
    fill(.segments)
  }

  private mutating func fillEvents(fromQEMU device: QEMUDevice) {
    func flag(_ name: String) -> Bool { (device.number("env." + name) ?? 0) != 0 }
    guard let injected = device.signed("env.interrupt_injected") else { return }
    if injected >= 0 {
      values.events.interrupt.injected = true
      values.events.interrupt.number = UInt8(truncatingIfNeeded: injected)
      values.events.interrupt.soft = flag("soft_interrupt")
    }
    let exception = device.signed("env.exception_nr") ?? -1
    if exception >= 0 {
      values.events.exception.number = UInt8(truncatingIfNeeded: exception)
      // The subsection is there since QEMU 4.1, where an exception waits.
      let isPending = flag("exception_pending")
      values.events.exception.pending = isPending
      values.events.exception.injected = flag("exception_injected") || !isPending
    }
    values.events.nmi.injected = flag("nmi_injected")
    values.events.nmi.pending = UInt8(truncatingIfNeeded: device.number("env.nmi_pending") ?? 0)
    // HF2_NMI_MASK, HF_SMM_MASK, HF_INHIBIT_IRQ_MASK (QEMU, target/i386/cpu.h).
    values.events.nmi.masked = (device.number("env.hflags2") ?? 0) >> 2 & 1 == 1
    var management = VCPUEvents.SMI()
    management.inSMM = (device.number("env.hflags") ?? 0) >> 19 & 1 == 1
    values.events.smi = management
    values.events.sipiVector = device.number("env.sipi_vector").map { UInt8(truncatingIfNeeded: $0) }
    fill(.events, .systemManagement)
    // Where there is a shadow the stream does not say which.
    if (device.number("env.hflags") ?? 0) >> 3 & 1 == 0 { fill(.shadow) }
  }

  /// The registers that the stream has by name. What is in a subsection that is not there is 0.
  private static func modelRegisters(ofQEMU device: QEMUDevice) -> [MSREntry] {
    let always: [(UInt32, String)] = [
      (MSR.tsc, "tsc"), (0x174, "sysenter_cs"), (0x175, "sysenter_esp"), (0x176, "sysenter_eip"), (0x277, "pat"),
      (0xc000_0081, "star"), (0xc000_0082, "lstar"), (0xc000_0083, "cstar"), (0xc000_0084, "fmask"),
      (0xc000_0102, "kernelgsbase"), (0xc000_0103, "tsc_aux"), (MSR.wallClock, "wall_clock_msr"),
      (MSR.systemTime, "system_time_msr"),
    ]
    let sometimes: [(UInt32, String)] = [
      (MSR.tscAdjust, "tsc_adjust"), (MSR.tscDeadline, "tsc_deadline"), (MSR.pvEOI, "pv_eoi_en_msr"),
      (MSR.asyncPF, "async_pf_en_msr"), (MSR.stealTime, "steal_time_msr"),
    ]
    return always.compactMap { index, name in
      device.number("env." + name).map { MSREntry(index: index, value: $0) }
    } + sometimes.map { MSREntry(index: $0, value: device.number("env." + $1) ?? 0) }
  }

  /// Takes the section `apic` (QEMU, hw/intc/apic_common.c), whose number is the APIC id.
  mutating func fill(fromQEMUAPIC device: QEMUDevice) {
    func word(_ name: String) -> UInt32? { device.number(name).map { UInt32(truncatingIfNeeded: $0) } }
    values.id = device.instance
    fill(.id)
    var isX2APIC = false
    if let base = device.number("apicbase") {
      values.specialRegisters.apicBase = APICBase(rawValue: base)
      isX2APIC = values.specialRegisters.apicBase.mode == .x2APIC
      fill(.apicBase)
    }
    if isX2APIC {
      // Of an x2APIC the stream has only eight bits of the LDR, which are not those that count, and no DFR.
      set(.id, to: device.instance)
    } else {
      if let id = word("id") { set(.id, to: id << 24) }
      if let destination = word("log_dest") { set(.logicalDestination, to: destination << 24) }
      if let model = word("dest_mode") { set(.destinationFormat, to: model << 28 | 0x0fff_ffff) }
    }
    let registers: [(LocalAPICRegister, String)] = [
      (.taskPriority, "tpr"), (.spurious, "spurious_vec"), (.errorStatus, "esr"), (.interruptCommand, "icr[0]"),
      (.interruptCommandHigh, "icr[1]"), (.divide, "divide_conf"), (.initialCount, "initial_count"),
      (.lvtTimer, "lvt[0]"), (.lvtThermal, "lvt[1]"), (.lvtPerformance, "lvt[2]"), (.lvtLINT0, "lvt[3]"),
      (.lvtLINT1, "lvt[4]"), (.lvtError, "lvt[5]"),
    ]
    for (register, name) in registers {
      if let value = word(name) { set(register, to: value) }
    }
    for (register, name) in [(.inService, "isr"), (.triggerModes, "tmr"), (.interruptRequest, "irr")]
      as [(LocalAPICRegister, String)]
    {
      guard let words = device.numbers(name, count: 8) else { continue }
      for (index, word) in words.enumerated() {
        values.localAPIC[register, word: index] = UInt32(truncatingIfNeeded: word)
      }
      fill(.localAPIC(register))
    }
    // What is left of the timer is not in the stream: a count of 0 alone says that it stands still.
    if self[.initialCount] == 0 { set(.currentCount, to: 0) }
  }
}
