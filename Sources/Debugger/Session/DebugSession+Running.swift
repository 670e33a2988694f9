import KVM
import VMM

extension DebugSession {
  /// Lets threads go on, or tells at once of what one of them has come to already.
  func answerResume(_ command: RemoteCommand) throws(KVMError) {
    let kinds: [Int: ResumeAction.Kind]
    switch command {
    case .resume(let actions): kinds = self.kinds(actions)
    case .resumeSelected(let isStep, let address):
      if let address { try move(selected, to: address) }
      var actions: [ResumeAction] = []
      if isStep { actions.append(ResumeAction(.step, .one(selected))) }
      actions.append(ResumeAction(.resume, resumed == .any ? .all : resumed))
      kinds = self.kinds(actions)
    default: return reply("E22")
    }
    guard kinds.values.contains(where: { $0 != .stop }) else { return reply("E.no thread is to go on") }
    if let stop = try takePending(kinds) { return try report(stop) }
    try target.resume(kinds)
    state = .running
  }

  /// On a signal that a vCPU has stopped: tells gdb of it, which waits.
  func guestStopped() {
    guard state == .running, target.hold(unless: isEnding) else { return }
    takeStops()
    state = .stopped
    tell { () throws(KVMError) in
      // Whoever stopped the guest otherwise did not do it for gdb: it goes on.
      guard !pending.isEmpty else { return try reportStop(.interrupt) }
      try report(pending.removeFirst())
    }
  }

  /// Stops the guest for Ctrl-C.
  func interrupt() {
    guard state == .running, target.hold(unless: isEnding) else { return }
    takeStops()
    state = .stopped
    tell { () throws(KVMError) in
      // What a vCPU has come to meanwhile is told next.
      try reportStop(.interrupt)
    }
  }

  /// Tells gdb that a vCPU has stopped, and what for.
  func reportStop(_ reason: StopReply.Reason) throws(KVMError) {
    lastReason = reason
    let file = try target.registers(of: selected)
    let registers = TargetRegister.expedited.compactMap { number in
      file[number].map { StopReply.RegisterValue(number: number, bytes: $0) }
    }
    reply(StopReply.stopped(reason, vcpu: selected, registers: registers).body(features: features))
  }

  private func report(_ stop: PendingStop) throws(KVMError) {
    selected = stop.vcpu
    try reportStop(stop.reason)
  }

  private func tell(_ body: () throws(KVMError) -> Void) {
    do throws(KVMError) {
      try body()
    } catch {
      refuse("\(error)")
    }
  }

  private func takeStops() {
    pending += target.machine.debug.takeStops().map { PendingStop($0, target.hardware) }
  }

  /// What a vCPU that is to go on has come to before, if gdb still wants to know it. What it does not is dropped.
  private func takePending(_ kinds: [Int: ResumeAction.Kind]) throws(KVMError) -> PendingStop? {
    var rest: [PendingStop] = []
    var found: PendingStop?
    for stop in pending {
      guard let kind = kinds[stop.vcpu], kind != .stop else {
        rest.append(stop)
        continue
      }
      guard try stop.isStillTrue(target, for: kind) else { continue }
      if found == nil { found = stop } else { rest.append(stop) }
    }
    pending = rest
    return found
  }

  /// What each vCPU does: the first action that names it.
  private func kinds(_ actions: [ResumeAction]) -> [Int: ResumeAction.Kind] {
    var kinds: [Int: ResumeAction.Kind] = [:]
    for vcpu in target.machine.vcpus.indices {
      let action = actions.first { action in
        switch action.threads {
        case .all: true
        case .any: vcpu == selected
        case .one(let index): vcpu == index
        }
      }
      kinds[vcpu] = action?.kind ?? .stop
    }
    return kinds
  }

  private func move(_ vcpu: Int, to address: UInt64) throws(KVMError) {
    let old = try target.registers(of: vcpu)
    var new = old
    new.linearPC = address
    try target.set(new, of: vcpu, whichHas: old)
  }
}

/// A stop that gdb has not been told of yet: several vCPUs may come to something at once, and gdb takes one at a time.
struct PendingStop {
  let vcpu: Int
  let reason: StopReply.Reason
  let pc: UInt64

  /// A stop, as the breakpoints were when it happened.
  init(_ stop: DebugStop, _ hardware: HardwareBreakpoints) {
    vcpu = stop.vcpu
    pc = stop.pc
    switch stop.cause {
    case .step: reason = .trap
    case .softwareBreakpoint: reason = .softwareBreakpoint
    case .hardwareBreakpoint(let hits):
      guard let slot = hardware.slot(hits: hits) else {
        reason = .trap
        return
      }
      switch slot.access {
      case .execute: reason = .hardwareBreakpoint
      case .write: reason = .writeWatch(address: slot.address)
      case .readWrite: reason = .accessWatch(address: slot.address)
      }
    }
  }

  /// Whether gdb still wants to know of it when it lets the vCPU go on: it may have taken the breakpoint away, or have
  /// moved the vCPU.
  func isStillTrue(_ target: DebugTarget, for kind: ResumeAction.Kind) throws(KVMError) -> Bool {
    switch reason {
    case .trap: return kind == .step
    case .interrupt: return false
    case .softwareBreakpoint:
      guard target.software.addresses.contains(pc) else { return false }
      return try target.registers(of: vcpu).linearPC == pc
    case .hardwareBreakpoint:
      guard target.hardware.stopsExecution(at: pc) else { return false }
      return try target.registers(of: vcpu).linearPC == pc
    case .writeWatch(let address), .accessWatch(let address):
      return target.hardware.slots.contains { $0?.address == address && $0?.access != .execute }
    }
  }
}
