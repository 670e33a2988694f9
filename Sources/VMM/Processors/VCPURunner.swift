import KVM
import Support

/// Runs one vCPU on the thread that calls it, and answers its exits, until the machine is stopped.
struct VCPURunner: Sendable {
  let index: Int
  let vcpu: VCPU
  let ports: Bus
  let addresses: Bus
  let interrupts: InterruptController
  let stop: StopSwitch
  let hooks: MachineHooks
  let hyperV: HyperVConnections?
  let inbox: VCPUInbox
  let gate: PauseGate
  let debug: DebugControl
  let moments: MomentWatch
  let progress: GuestProgress
  let memory: GuestMemory

  /// Enters the guest again and again, unless a pause or a stop keeps it out, from the first entry on.
  func run() {
    do throws(KVMError) {
      while true {
        inbox.serve(vcpu)
        if gate.isClosed, gate.keepsOut(index) { try park() }
        if stop.isStopped { return }
        let exit = try vcpu.run()
        try answer(exit)
        // To be asked out of the guest is no exit of the guest's.
        if case .interrupted = exit { continue }
        if debug.isAttached { try endStep(after: exit) }
        if moments.isArmed { moments.count(progress) }
      }
    } catch {
      stop.stop(.runFailed(error, vcpu: index))
    }
  }

  /// Waits out of the guest until the pause is over.
  ///
  /// A stop ends the wait too. The vCPU has then nothing left to complete, and does not enter the guest again: whoever
  /// paused the machine may read its state nevertheless.
  private func park() throws(KVMError) {
    let keepsInterruptsBack = debug.keepsInterruptsBack
    if keepsInterruptsBack { try vcpu.setGuestDebug([.enable, .blockIRQ]) }
    try completePendingWork()
    gate.arrive(index)
    repeat {
      inbox.park(vcpu) { !gate.keepsOut(index) || stop.isStopped }
    } while !gate.leave(index, isStopped: stop.isStopped)
    // A debugger may have let it go on before this vCPU first came here, and have told KVM so: the above took that back.
    if keepsInterruptsBack { try tellDebugPlan() }
    // kvmclock tells the guest that it stood still, so that its watchdogs stay calm. KVM refuses that (EINVAL) for a vCPU
    // whose guest does not use kvmclock, which then has nobody to tell.
    try? vcpu.notifyPaused()
  }

  /// Takes the vCPU through KVM's loop without entering the guest, so that its state is all there is to it:
  ///
  /// - KVM completes an access that was answered only when it is entered again (KVM API, the note on KVM_EXIT_IO). A
  ///   string instruction or a wide MMIO access may have another part to answer then.
  /// - An EOI that a split irqchip's IOAPIC has to see may still be on its way out (KVM_REQ_IOAPIC_EOI_EXIT).
  /// - A timer that has expired is in a count that no call shows (`lapic_timer.pending`), until this puts its interrupt
  ///   into the IRR.
  ///
  /// `immediate_exit` would do for the first alone: with it KVM does not come as far as its loop (kernel,
  /// `kvm_arch_vcpu_ioctl_run`). A signal ends the loop after one round, before the entry.
  func completePendingWork() throws(KVMError) {
    while true {
      vcpu.clearExitRequest()
      let exit = try WakeSignal.runInterrupted(vcpu)
      switch exit {
      // Somebody who asks it out of the guest right now has ended the round before it began.
      case .interrupted where vcpu.isExitRequested && !stop.isStopped: continue
      case .interrupted, .uninitialized: return
      default: try answer(exit)
      }
      if stop.isStopped { return }
    }
  }

  private func answer(_ exit: Exit) throws(KVMError) {
    switch exit {
    case .io(let access): answer(access)
    case .mmio(let access): answer(access)
    // Somebody wants the vCPU out of the guest. Whoever does asks again until it is served, so the request is taken back.
    case .interrupted: vcpu.clearExitRequest()
    // An application processor got its INIT or SIPI: go on.
    case .uninitialized: break
    case .ioapicEOI(let vector):
      if case .split(let ioapic) = interrupts.irqChip { try ioapic.endOfInterrupt(vector, on: vcpu) }
    case .debug(let exit) where debug.isAttached: try answer(exit)
    case .internalError(let error) where try answerBreakpoint(error): break
    case .shutdown: stop.stop(.shutdown(vcpu: index))
    case .systemEvent: stop.stop(.systemEvent("\(exit)", vcpu: index))
    case .hyperV(let exit) where answer(exit): break
    case _ where hooks.answer(vcpu, exit): break
    case .internalError(let error): stop.stop(.unrunnable(reason: words(for: error), vcpu: index))
    default: stop.stop(.unrunnable(reason: "\(exit)", vcpu: index))
    }
  }

  /// The error, and what of the instruction that it is about. Where KVM does not give its bytes, they are read.
  private func words(for error: InternalError) -> String {
    guard error.suberror == InternalError.emulation else { return "\(error)" }
    var error = error
    if error.instruction.isEmpty { error.instruction = instruction() }
    guard let name = InstructionName(error.instruction) else { return "\(error)" }
    return "\(error): this host's KVM has to emulate \(name.text) there, and cannot"
  }

  private func instruction() -> [UInt8] {
    guard let registers = try? vcpu.registers(), let special = try? vcpu.specialRegisters(),
      let physical = try? vcpu.translate(special.cs.base &+ registers.rip)
    else { return [] }
    // As far as the page goes.
    return (try? memory.read(min(15, 4096 - Int(physical & 4095)), at: physical)) ?? []
  }

  /// Says whether it was this machine's to answer.
  private func answer(_ exit: HyperVExit) -> Bool {
    guard let hyperV else { return false }
    switch exit {
    case .synIC(let registers): hyperV.note(registers, vcpu: index)
    case .call(let call): vcpu.completeHyperVCall(hyperV.answer(call, vcpu: index).rawValue)
    case .other: return false
    }
    return true
  }

  private func answer(_ access: MMIOAccess) {
    let width = Int(access.length)
    switch access.direction {
    case .read: vcpu.completeMMIORead(addresses.read(at: access.address, width: width, vcpu: index))
    case .write: addresses.write(access.value, at: access.address, width: width, vcpu: index)
    }
  }

  private func answer(_ access: PortAccess) {
    let port = UInt64(access.port)
    let width = Int(access.width)
    switch access.direction {
    case _ where access.count != 1: answer(string: access)
    case .read:
      vcpu.completePortRead(UInt32(truncatingIfNeeded: ports.read(at: port, width: width, vcpu: index)))
    case .write: ports.write(UInt64(access.value), at: port, width: width, vcpu: index)
    }
  }

  /// INS and OUTS with a count: KVM may hand over up to a page of items at once.
  private func answer(string access: PortAccess) {
    let port = UInt64(access.port)
    let width = Int(access.width)
    switch access.direction {
    case .read:
      // Read first, so that no device runs while the page is locked.
      let values = (0..<access.count).map { _ in ports.read(at: port, width: width, vcpu: index) }
      vcpu.withPortData { data in
        for offset in 0..<data.count {
          data[offset] = UInt8(truncatingIfNeeded: values[offset / width] >> (8 * UInt64(offset % width)))
        }
      }
    case .write:
      guard let bytes = vcpu.withPortData({ data in data.indices.map { data[$0] } }) else { return }
      if width == 1 { return ports.write(string: bytes, at: port, vcpu: index) }
      for offset in stride(from: 0, to: bytes.count - width + 1, by: width) {
        let value = bytes[offset..<offset + width].littleEndian
        ports.write(value, at: port, width: width, vcpu: index)
      }
    }
  }
}

/// What the manual calls an instruction that KVM's emulator is known not to have: a few, which kernels use (kernel,
/// arch/x86/kvm/emulate.c, the opcode tables).
struct InstructionName {
  let text: String

  /// Looks at an instruction's bytes; nil for one that has no name here.
  init?(_ bytes: [UInt8]) {
    // Lock, operand size, repeats (SDM volume 2A, section 2.1.1), then REX.
    let prefixes: Set<UInt8> = [0xf0, 0x66, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0x67]
    var rest = bytes.drop { prefixes.contains($0) }
    let rex = rest.first.flatMap { $0 & 0xf0 == 0x40 ? $0 : nil }
    if rex != nil { rest = rest.dropFirst() }
    guard let name = Self.name(Array(rest), isWide: (rex ?? 0) & 8 != 0) else { return nil }
    text = name
  }

  private static func name(_ bytes: [UInt8], isWide: Bool) -> String? {
    switch (bytes.first, bytes.dropFirst().first, bytes.dropFirst(2).first.map { $0 >> 3 & 7 }) {
    case (0xcc, _, _): "INT3"
    case (0x0f, 0xc7, 1): isWide ? "CMPXCHG16B" : "CMPXCHG8B"
    case (0x0f, 0xc7, 3): "XRSTORS"
    case (0x0f, 0xc7, 4): "XSAVEC"
    case (0x0f, 0xc7, 5): "XSAVES"
    case (0x0f, 0xae, 4): "XSAVE"
    case (0x0f, 0xae, 5): "XRSTOR"
    case (0x0f, 0xae, 6): "XSAVEOPT"
    default: nil
    }
  }
}
