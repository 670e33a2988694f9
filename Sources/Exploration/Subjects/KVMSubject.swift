public import APIC
public import KVM
public import ReferenceModel
import SystemPackage

/// A machine of a kernel's KVM, with every interrupt controller in the kernel.
public final class KVMSubject: InterruptSubject, Sendable {
  let vm: VirtualMachine
  let vcpus: [VCPU]
  let guest: StepGuest?
  /// The time that all actors share.
  let clock = HistoryBench.clock()

  /// A machine after power-on.
  ///
  /// - Parameters:
  ///   - system: The host's KVM.
  ///   - vcpus: How many vCPUs.
  ///   - cpuid: What their CPUID answers; it must have x2APIC mode and the TSC-deadline timer.
  ///   - hasGuest: Whether vCPUs are to execute instructions.
  /// - Throws: `KVMError` where the host has no room for it.
  public init(_ system: System, vcpus count: Int, cpuid: [CPUIDEntry], hasGuest: Bool) throws(KVMError) {
    vm = try system.createVM()
    try vm.createIRQChip()
    guest = hasGuest ? try StepGuest(in: vm) : nil
    var made: [VCPU] = []
    for id in 0..<UInt32(count) {
      let vcpu = try vm.createVCPU(id: id)
      try vcpu.setCPUID(cpuid)
      try guest?.prepare(vcpu)
      made.append(vcpu)
    }
    vcpus = made
  }

  /// What the CPUID of the vCPUs answers: all that the host has, and the two that the model has.
  public static func cpuid(of system: System) throws(KVMError) -> [CPUIDEntry] {
    try system.supportedCPUID().map { entry in
      var entry = entry
      if entry.function == 1 { entry.ecx |= 1 << 21 | 1 << 24 }
      return entry
    }
  }

  /// How many vCPUs it has.
  public var vcpuCount: Int { vcpus.count }

  /// A device writes a message.
  public func send(_ message: MSIMessage) throws(KVMError) -> DeliveryAnswer { try vm.send(message).answer }

  /// A line's level.
  public func setLine(_ gsi: UInt32, to level: Bool, tellsStatus: Bool) throws(KVMError) -> DeliveryAnswer? {
    guard tellsStatus else {
      try vm.setLine(gsi, level)
      return nil
    }
    return try vm.setLineStatus(gsi, level).answer
  }

  /// A write to the irqfd of a GSI. When it is deassigned again nothing of it is still to come.
  public func fire(_ gsi: UInt32) throws(KVMError) {
    let event = try EventDescriptor()
    try vm.assignIRQFD(event, gsi: gsi)
    try event.write()
    try vm.deassignIRQFD(event, gsi: gsi)
  }

  /// Replaces the routes.
  public func setRoutes(_ routes: [GSIRoute]) throws(KVMError) { try vm.setGSIRouting(routes) }

  /// Reads an MSR of a vCPU.
  public func readMSR(_ vcpu: Int, _ index: UInt32) throws(KVMError) -> StepAnswer {
    guard let entry = try vcpus[vcpu].msrs([index]).entries.first else { return .refused }
    return .value(entry.value)
  }

  /// Writes an MSR of a vCPU.
  public func writeMSR(_ vcpu: Int, _ index: UInt32, _ value: UInt64) throws(KVMError) -> Bool {
    try vcpus[vcpu].setMSRs([MSREntry(index: index, value: value)]).refused == nil
  }

  /// A local APIC's page.
  public func localAPIC(_ vcpu: Int) throws(KVMError) -> LocalAPICState { try vcpus[vcpu].localAPIC() }

  /// Sets a local APIC's page.
  public func setLocalAPIC(_ vcpu: Int, _ state: LocalAPICState) throws(KVMError) -> Bool {
    do {
      try vcpus[vcpu].setLocalAPIC(state)
      return true
    } catch {
      guard error.errno == .invalidArgument else { throw error }
      return false
    }
  }

  /// The IOAPIC.
  public func ioapic() throws(KVMError) -> IOAPICState { try vm.ioapic() }

  /// Sets the IOAPIC.
  public func setIOAPIC(_ state: IOAPICState) throws(KVMError) { try vm.setIOAPIC(state) }

  /// A PIC.
  public func pic(_ chip: PIC.Chip) throws(KVMError) -> PICState { try vm.pic(chip) }

  /// Sets a PIC.
  public func setPIC(_ chip: PIC.Chip, _ state: PICState) throws(KVMError) { try vm.setPIC(chip, state) }

  /// A non-maskable interrupt from user space.
  public func signalNMI(_ vcpu: Int) throws(KVMError) { try vcpus[vcpu].nmi() }

  /// What a vCPU does, after it has taken INIT and SIPI.
  public func activity(_ vcpu: Int) throws(KVMError) -> UInt64 { UInt64(try vcpus[vcpu].mpState().rawValue) }

  /// Sets what a vCPU does.
  public func setActivity(_ vcpu: Int, _ state: MPState) throws(KVMError) -> Bool {
    do {
      try vcpus[vcpu].setMPState(state)
      return true
    } catch {
      guard error.errno == .invalidArgument else { throw error }
      return false
    }
  }

  /// Runs a vCPU until it has taken an interrupt.
  public func takeInterrupt(_ vcpu: Int) throws(KVMError) -> StepAnswer {
    try guest?.takeInterrupt(vcpus[vcpu]) ?? .done
  }

  /// Has a vCPU write or read an MSR.
  public func accessMSR(_ vcpu: Int, _ index: UInt32, writing value: UInt64?) throws(KVMError) -> StepAnswer {
    guard let guest, try isRunning(vcpu) else { return .done }
    return try guest.accessMSR(vcpus[vcpu], index, writing: value)
  }

  /// Has a vCPU reach interrupt controllers by memory or ports.
  public func access(_ vcpu: Int, _ access: GuestAccess) throws(KVMError) -> StepAnswer {
    guard let guest, try isRunning(vcpu) else { return .done }
    return try guest.access(vcpus[vcpu], access)
  }

  /// Has a vCPU execute an instruction with interrupts off.
  public func runWithInterruptsOff(_ vcpu: Int) throws(KVMError) -> StepAnswer {
    guard let guest, try isRunning(vcpu) else { return .done }
    return try guest.runWithInterruptsOff(vcpus[vcpu])
  }

  /// Has a vCPU halt, or execute another instruction behind STI.
  public func halt(_ vcpu: Int, _ form: HaltForm) throws(KVMError) -> StepAnswer {
    guard let guest, try isRunning(vcpu) else { return .done }
    return try guest.halt(vcpus[vcpu], form)
  }

  private func isRunning(_ vcpu: Int) throws(KVMError) -> Bool {
    guard try vcpus[vcpu].mpState() == .runnable else { return false }
    let events = try vcpus[vcpu].events()
    return events.nmi.pending == 0 && !events.nmi.injected && !events.interrupt.injected
  }

  /// Everything that can be seen.
  public func observe(_ observation: inout VisibleState) throws(KVMError) {
    for (number, vcpu) in vcpus.enumerated() {
      let page = try vcpu.localAPIC()
      observation.vcpus[number].page = page
      let count = page[.currentCount]
      observation.vcpus[number].count = count...count
      guard observation.looksInto(number) else { continue }
      let msrs = try vcpu.msrs([MSR.apicBase, MSR.tscDeadline]).entries
      guard msrs.count == 2 else {
        throw KVMError(call: .getMSRs, errno: .invalidArgument, detail: "IA32_APIC_BASE and IA32_TSC_DEADLINE")
      }
      observation.vcpus[number].base = msrs[0].value
      observation.vcpus[number].deadline = msrs[1].value
      observation.vcpus[number].nmis = try vcpu.events().nmi.pending
    }
    observation.ioapic = try vm.ioapic()
    observation.master = try vm.pic(.master)
    observation.slave = try vm.pic(.slave)
  }
}

extension LineStatus {
  /// The answer as the model has it.
  var answer: DeliveryAnswer {
    switch self {
    case .delivered(let count): .delivered(count)
    case .coalesced: .coalesced
    case .ignored: .ignored
    }
  }
}
