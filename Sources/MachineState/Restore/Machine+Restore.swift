import APIC
import JSON
public import KVM
public import VMM

extension Machine {
  /// Makes a machine that goes on where another was when its state was taken.
  ///
  /// The whole state is checked, against itself and against what the host says of itself, before KVM makes anything. Guest
  /// time stands still until here: TSC and kvmclock go on from their values, and timers have as much left as they had.
  ///
  /// - Parameters:
  ///   - state: what the machine is to be.
  ///   - memory: its memory: what `MemoryImage.guestMemory()` gives, or that of a machine which has ended.
  ///   - system: the host's KVM.
  ///   - console: where the serial port leads.
  ///   - hooks: what the machine's owner wants to do itself; `prepare` is not called, as the state has what it did.
  /// - Throws: `RestoreError`; there is no machine then.
  public convenience init(
    restoring state: MachineState, memory: GuestMemory, on system: System, console: Console,
    hooks: MachineHooks = MachineHooks()
  ) throws(RestoreError) {
    try state.check(on: system)
    var refusal: RestoreError?
    do throws(MachineError) {
      try self.init(rebuilding: state.blueprint, memory: memory, on: system, console: console, hooks: hooks) {
        raw throws(MachineError) in
        do throws(RestoreError) {
          try MachineRestore(state: state, raw: raw).run()
        } catch {
          refusal = error
          throw .configuration(error.description)
        }
      }
    } catch .setting(let path, let error) {
      throw RestoreError(error, at: path)
    } catch {
      throw refusal ?? .machine(error)
    }
  }

  /// Makes a machine from a snapshot.
  ///
  /// - Throws: `RestoreError`; there is no machine then.
  public convenience init(
    restoring snapshot: Snapshot, on system: System, console: Console, hooks: MachineHooks = MachineHooks()
  ) throws(RestoreError) {
    let memory: GuestMemory
    do throws(MachineError) {
      memory = try snapshot.memory.guestMemory()
    } catch {
      throw .machine(error)
    }
    try self.init(restoring: snapshot.state, memory: memory, on: system, console: console, hooks: hooks)
  }
}

extension MachineState {
  /// Refuses what no machine can be made of on this host.
  ///
  /// - Throws: `RestoreError.malformed`, `.hostDiffers`, or `.machine` where KVM cannot be asked.
  public func check(on system: System) throws(RestoreError) {
    do throws(MalformedState) {
      try validate()
    } catch {
      throw .malformed(error)
    }
    let differences: [HostDifference]
    do throws(KVMError) {
      differences = try self.differences(from: system)
    } catch {
      throw .machine(.kvm(error))
    }
    guard differences.isEmpty else { throw .hostDiffers(differences) }
  }

  /// What KVM makes the machine from.
  var blueprint: MachineBlueprint {
    MachineBlueprint(
      configuration: configuration, settings: settings, cpuid: vcpus.map(\.cpuid), splitIOAPIC: splitIOAPIC,
      devices: devices)
  }
}

/// Gives a machine that KVM has just made its state.
struct MachineRestore {
  let state: MachineState
  let raw: RawMachine

  /// The order:
  ///
  /// 1. Routes, which everything else that interrupts goes through; a split irqchip's tell KVM whose EOIs it must report.
  /// 2. Registers of all vCPUs.
  /// 3. Time: the TSCs from one reading of the host's, so that they stay as far apart as they were, then kvmclock.
  /// 4. Local APICs, whose timers start now, and nested state.
  /// 5. Chips: a pin of the IOAPIC that has something to send sends it now, so local APICs come before. The PIT after the
  ///    chips that it interrupts.
  /// 6. Events and MP states, after all that raises events.
  /// 7. irqfds, last: what waits in an event interrupts at once.
  /// 8. The wait for a channel of the PIT that is to be in the middle of its count (`PITState.Resumption`).
  func run() throws(RestoreError) {
    if let routes = state.settings.routes {
      try call("routes") { () throws(KVMError) in try raw.interrupts.restoreRoutes(routes) }
    }
    for (index, vcpu) in state.vcpus.enumerated() {
      try vcpu.writeRegisters(raw.vcpus[index], at: "vcpus[\(index)]")
    }
    try setTime()
    for (index, vcpu) in state.vcpus.enumerated() {
      try vcpu.writeNestedState(raw.vcpus[index], at: "vcpus[\(index)]")
      try vcpu.writeLocalAPIC(raw.vcpus[index], at: "vcpus[\(index)]")
    }
    let pitIsThere = try setChips()
    for (index, vcpu) in state.vcpus.enumerated() {
      try vcpu.writeEvents(raw.vcpus[index], at: "vcpus[\(index)]")
    }
    try restoreEvents()
    HostClocks.sleep(until: pitIsThere)
  }

  /// What passed on the host since the capture is taken from every TSC alike. Where the host does not let TSCs be offset,
  /// their values are written; KVM takes values that are written within a second of one another, and fit, for one TSC
  /// (`kvm_synchronize_tsc`).
  private func setTime() throws(RestoreError) {
    let now = hostTSC()
    for (index, vcpu) in state.vcpus.enumerated() {
      let path = "vcpus[\(index)]"
      let target = raw.vcpus[index]
      if let frequency = try? target.tscFrequency(), frequency != vcpu.tscKHz {
        try call(path + ".tscKHz") { () throws(KVMError) in try target.setTSCFrequency(kHz: vcpu.tscKHz) }
      }
      // A frequency other than the host's is scaled: then the offset is not the difference of the two.
      if let offset = vcpu.tscOffset, (try? target.tscOffset()) != nil, !isScaled(vcpu) {
        let moved = offset &+ (state.time.hostTSC &- now)
        try call(path + ".tscOffset") { () throws(KVMError) in try target.setTSCOffset(moved) }
      } else if let tsc = vcpu.msr(MSR.tsc) {
        try vcpu.writeMSRs([MSREntry(index: MSR.tsc, value: tsc)], target, at: path)
      }
    }
    try checkTime()
    // Without the wall-clock time KVM does not add what passed since.
    try call("time.clock") { () throws(KVMError) in
      try raw.vm.setClock(ClockState(nanoseconds: state.time.clock.nanoseconds))
    }
  }

  /// Refuses a TSC that would run backwards. Some back ends take an offset and do not heed it, as kvm_pvm, whose guests read
  /// the host's TSC: there it goes on with the host's, as over a pause, and cannot be taken to a host that started later.
  private func checkTime() throws(RestoreError) {
    var differences: [HostDifference] = []
    for (index, vcpu) in state.vcpus.enumerated() {
      guard let wanted = vcpu.msr(MSR.tsc), let actual = try? raw.vcpus[index].msrs([MSR.tsc]).entries.first?.value,
        actual < wanted
      else { continue }
      differences.append(
        HostDifference(
          "TSC of vCPU \(index)",
          "this host's KVM does not set it, and it would go back from \(wanted) to \(actual)"))
    }
    guard differences.isEmpty else { throw .hostDiffers(differences) }
  }

  /// Whether the guest's TSC runs at another pace than the host's: then the value that was read lies elsewhere than the
  /// offset says.
  private func isScaled(_ vcpu: VCPUState) -> Bool {
    guard let offset = vcpu.tscOffset, let tsc = vcpu.msr(MSR.tsc) else { return false }
    let expected = state.time.hostTSC &+ offset
    let distance = expected > tsc ? expected - tsc : tsc - expected
    // A second, which no capture takes.
    return distance > UInt64(vcpu.tscKHz) * 1000
  }

  /// - Returns: when the PIT is where it was, on the host's monotonic clock.
  private func setChips() throws(RestoreError) -> UInt64 {
    try call("pic") { () throws(KVMError) in
      if let pics = state.pics {
        try raw.vm.setPIC(.master, pics.master)
        try raw.vm.setPIC(.slave, pics.slave)
      }
    }
    try call("ioapic") { () throws(KVMError) in if let ioapic = state.ioapic { try raw.vm.setIOAPIC(ioapic) } }
    guard let options = state.settings.pit, let pit = state.pit else { return 0 }
    let resumption = pit.resumed(at: state.time.hostMonotonic)
    try call("pit") { () throws(KVMError) in
      try raw.vm.createPIT(speakerDummy: options.speakerDummy)
      if !options.reinjects { try raw.vm.setPITReinjection(false) }
      // Counter 0 starts anew: KVM tells neither how far it has come nor whether a count that runs once is over, and cannot
      // begin in the middle. So a tick comes late, never early, and none is lost.
      try raw.vm.setPIT(resumption.chip)
    }
    return HostClocks.monotonic + resumption.wait
  }

  private func restoreEvents() throws(RestoreError) {
    var shared: [UInt32: EventDescriptor] = [:]
    for (index, saved) in state.irqfds.enumerated() {
      try call("irqfds[\(index)]") { () throws(KVMError) in
        let event = try event(saved.event, among: &shared)
        let resample = try saved.resamplePending.map { _ throws(KVMError) in try EventDescriptor() }
        try raw.vm.assignIRQFD(event, gsi: saved.gsi, resample: resample)
        if saved.isOwnedByVMM { raw.interrupts.adopt(irqfd: event, gsi: saved.gsi) }
        // Written now that KVM listens: it would raise the interrupt for a counter that is not 0 already, and not clear it.
        if saved.pending > 0 { try event.write(saved.pending) }
        if let pending = saved.resamplePending, pending > 0 { try resample?.write(pending) }
      }
    }
    for (index, saved) in state.ioEvents.enumerated() {
      try call("ioEvents[\(index)]") { () throws(KVMError) in
        let event = try event(saved.event, among: &shared)
        try raw.vm.assignIOEvent(event, at: saved.address, length: saved.length, match: saved.match)
        if saved.pending > 0 { try event.write(saved.pending) }
      }
    }
  }

  /// The event with that number, which is made when it is first asked for; one of its own without a number.
  private func event(
    _ number: UInt32?, among shared: inout [UInt32: EventDescriptor]
  ) throws(KVMError) -> EventDescriptor {
    if let number, let event = shared[number] { return event }
    let event = try EventDescriptor()
    if let number { shared[number] = event }
    return event
  }

  private func call(_ path: String, _ body: () throws(KVMError) -> Void) throws(RestoreError) {
    do throws(KVMError) {
      try body()
    } catch {
      throw RestoreError(error, at: path)
    }
  }
}
