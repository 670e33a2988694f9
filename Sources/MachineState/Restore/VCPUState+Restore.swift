import APIC
import KVM

extension VCPUState {
  /// The MSRs that are written at a moment of their own, or by another call.
  private static let ordered: Set<UInt32> = clocks.union([MSR.tsc, MSR.tscDeadline, MSR.apicBase])
  /// kvmclock's, by their new and their old numbers (kernel documentation, virt/kvm/x86/msr.rst).
  private static let clocks: Set<UInt32> = [MSR.wallClock, MSR.systemTime, 0x11, 0x12]

  /// Writes all but the local APIC, what counts time, and what comes after them. CPUID was set when the vCPU was made: it
  /// decides which registers there are and which of their bits.
  ///
  /// - Special registers first: their EFER, CR0 and CR4 decide what the others may hold, and their APIC base in which mode
  ///   the local APIC takes its page.
  /// - General registers before events: KVM_SET_REGS drops a pending exception.
  /// - XCR0 and the extended state in either order: KVM loads both at the entry.
  /// - The other MSRs in KVM's order. Those of steal time and PV EOI name guest memory, which is there by now.
  func writeRegisters(_ vcpu: VCPU, at path: String) throws(RestoreError) {
    try call(path + ".settings") { () throws(KVMError) in
      for enabled in settings.capabilities { try vcpu.enable(enabled.capability, enabled.arguments.first ?? 0) }
    }
    try call(path + ".specialRegisters") { () throws(KVMError) in
      if specialRegisters.pageDirectoryPointers != nil {
        try vcpu.setSpecialRegisters2(specialRegisters)
      } else {
        try vcpu.setSpecialRegisters(specialRegisters)
      }
    }
    try call(path + ".registers") { () throws(KVMError) in try vcpu.setRegisters(registers) }
    try call(path + ".debugRegisters") { () throws(KVMError) in try vcpu.setDebugRegisters(debugRegisters) }
    if !extendedControlRegisters.isEmpty {
      try call(path + ".xcrs") { () throws(KVMError) in
        try vcpu.setExtendedControlRegisters(extendedControlRegisters)
      }
    }
    try call(path + ".xsave") { () throws(KVMError) in try vcpu.setXSAVE(try vcpu.fit(xsave)) }
    try setUpMachineChecks(vcpu, at: path)
    try writeMSRs(msrs.filter { !Self.ordered.contains($0.index) }, vcpu, at: path)
  }

  /// Gives the vCPU the machine-check banks that the state has, where KVM gave it others: IA32_MCG_CAP is set by that call
  /// alone.
  private func setUpMachineChecks(_ vcpu: VCPU, at path: String) throws(RestoreError) {
    let register = ModelRegisters.machineCheckCapability
    guard let capability = msr(register) else { return }
    try call("\(path).msrs.\(hex(register))") { () throws(KVMError) in
      guard try vcpu.msrs([register]).entries.first?.value != capability else { return }
      try vcpu.setUpMachineChecks(capability: capability)
    }
  }

  /// Writes the nested hypervisor's state: after the registers that say that there is one.
  func writeNestedState(_ vcpu: VCPU, at path: String) throws(RestoreError) {
    guard let nestedState else { return }
    try call(path + ".nestedState") { () throws(KVMError) in try vcpu.setNestedState(nestedState) }
  }

  /// Writes the local APIC and what counts time, once TSC and kvmclock run.
  ///
  /// - kvmclock's registers after the clock: to write one has KVM work out the guest's wall clock from it, and put that
  ///   into guest memory (`kvm_write_wall_clock`).
  /// - The page after the APIC base. Its timer goes on from the current count (`__start_apic_timer` with APIC_TMCCT).
  /// - TSC_DEADLINE after the page, which has the timer's mode, and after the TSC, which it is compared with. One that is
  ///   overdue interrupts at once.
  /// - The vAPIC address last: from then on KVM takes the TPR from guest memory.
  func writeLocalAPIC(_ vcpu: VCPU, at path: String) throws(RestoreError) {
    try writeMSRs(msrs.filter { Self.clocks.contains($0.index) }, vcpu, at: path)
    try call(path + ".localAPIC") { () throws(KVMError) in
      if localAPIC.hasFiredOnce {
        try writeFiredTimer(vcpu)
      } else {
        try vcpu.setLocalAPIC(localAPIC)
      }
    }
    if let deadline = msr(MSR.tscDeadline), deadline != 0 {
      try writeMSRs([MSREntry(index: MSR.tscDeadline, value: deadline)], vcpu, at: path)
    }
    // kvmclock tells the guest that it stood still; a vCPU whose guest does not use it refuses (EINVAL).
    try? vcpu.notifyPaused()
    try call(path + ".settings.vapicAddress") { () throws(KVMError) in
      if settings.vapicAddress != 0 { try vcpu.setVAPICAddress(settings.vapicAddress) }
      if settings.reportsTPRAccesses { try vcpu.setTPRReporting(true) }
    }
  }

  /// A one-shot timer that has interrupted already and still has its initial count. KVM takes a current count of 0 for one
  /// that is just expiring, and would interrupt again (kernel, `set_target_expiration`).
  ///
  /// So in x2APIC mode the page goes in with the reserved timer mode, in which KVM starts no timer and keeps the count,
  /// and the mode alone is corrected through the register. In xAPIC mode there is no such way, and the initial count is
  /// set to 0, which stops the timer: a guest that reads it back finds 0.
  private func writeFiredTimer(_ vcpu: VCPU) throws(KVMError) {
    var page = localAPIC
    guard specialRegisters.apicBase.mode == .x2APIC else {
      page.initialCount = 0
      return try vcpu.setLocalAPIC(page)
    }
    let reservedMode: UInt32 = 3 << 17
    page[.lvtTimer] |= reservedMode
    try vcpu.setLocalAPIC(page)
    let register = MSREntry(index: MSR.x2APICBase + 0x32, value: UInt64(localAPIC[.lvtTimer]))
    guard try vcpu.setMSRs([register]).refused == nil else {
      page.initialCount = 0
      page[.lvtTimer] = localAPIC[.lvtTimer]
      return try vcpu.setLocalAPIC(page)
    }
  }

  /// Writes what is pending and being delivered, after all that KVM would derive an event from, and the MP state last:
  /// from then on the vCPU may take an INIT.
  func writeEvents(_ vcpu: VCPU, at path: String) throws(RestoreError) {
    try call(path + ".events") { () throws(KVMError) in try vcpu.setEvents(events) }
    try call(path + ".mpState") { () throws(KVMError) in try vcpu.setMPState(mpState) }
  }

  /// Writes MSRs, as many at a time as KVM takes. One that KVM refuses to write, but that has its value already, is no loss: some of
  /// the list are read-only.
  func writeMSRs(_ entries: [MSREntry], _ vcpu: VCPU, at path: String) throws(RestoreError) {
    var rest = entries[...]
    while !rest.isEmpty {
      let batch = Array(rest.prefix(VCPU.msrLimit))
      let answer = try call(path + ".msrs") { () throws(KVMError) in try vcpu.setMSRs(batch) }
      rest = rest.dropFirst(answer.entries.count)
      guard answer.refused != nil, let refused = rest.first else { continue }
      let current = try call(path + ".msrs") { () throws(KVMError) in try vcpu.msrs([refused.index]) }
      guard current.entries.first?.value == refused.value else {
        throw .refused(
          path: "\(path).msrs.\(hex(refused.index))",
          problem: "KVM does not take \(hex(refused.value)) for it")
      }
      rest = rest.dropFirst()
    }
  }

  private func call<Value>(_ path: String, _ body: () throws(KVMError) -> Value) throws(RestoreError) -> Value {
    do throws(KVMError) {
      return try body()
    } catch {
      throw RestoreError(error, at: path)
    }
  }
}

extension VCPU {
  /// An XSAVE area as long as this host has it: what it has more is zero, and what it has less was (`MachineState.check`).
  fileprivate func fit(_ area: [UInt8]) throws(KVMError) -> [UInt8] {
    let size = max(try vm.check(.xsave2), XSAVEArea.leastSize)
    return Array(area.prefix(size)) + [UInt8](repeating: 0, count: max(0, size - area.count))
  }
}

extension LocalAPICState {
  /// Whether its timer is in one-shot mode and has come to its end. A captured state has the interrupt in the IRR, or
  /// behind it (`VCPUCapture`).
  fileprivate var hasFiredOnce: Bool {
    lvt(.timer).timerMode == .oneShot && initialCount != 0 && currentCount == 0
  }
}
