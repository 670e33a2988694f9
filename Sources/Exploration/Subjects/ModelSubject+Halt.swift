import ReferenceModel

extension ModelSubject {
  /// Has a vCPU halt, or execute another instruction behind STI, and take what comes then.
  func haltOrGoOn(_ vcpu: Int, _ form: HaltForm) -> StepAnswer {
    guard executes(vcpu), machine.localAPICs[vcpu].processor.interrupted == nil else { return .done }
    if machine.localAPICs[vcpu].processor.hasRestarted { machine.putBack(vcpu) }
    machine.enter(vcpu)
    if hasStrayEvent { machine.wake(vcpu) }
    // The handler before returns first, to where interrupts are off.
    if machine.localAPICs[vcpu].processor.isInHandler {
      defer { machine.leave(vcpu) }
      guard machine.returnFromHandler(vcpu) else { return .entryRefused(Self.invalidControl) }
    }
    // KVM_SET_REGS makes the vCPU look for interrupts.
    machine.wake(vcpu)
    machine.enter(vcpu)
    defer { machine.leave(vcpu) }
    guard form == .halt else { return goOnAfterSTI(vcpu, form) }
    let answer = takeNext(vcpu)
    if case .value(let vector, _) = answer { return .taken(vector: vector, isBehind: false) }
    guard answer == .done else { return refused(answer, vcpu) }
    machine.leave(vcpu)
    return machine.halt(vcpu, takesInterrupts: true) ? .halts : takeAtEntry(vcpu, isBehind: true)
  }

  /// STI lets nothing in before the instruction behind it (SDM volume 2B, STI; section 7.8.1 of volume 3A).
  private func goOnAfterSTI(_ vcpu: Int, _ form: HaltForm) -> StepAnswer {
    machine.lookForInterrupts(vcpu)
    machine.watchTaskPriority(vcpu)
    machine.setThreshold(vcpu, hasEvent: true)
    if machine.isEntryRefused(vcpu) { return refused(.entryRefused(Self.invalidControl), vcpu) }
    machine.keepEventIfFound(vcpu)
    machine.leave(vcpu)
    // Taken out behind STI, it takes at the next entry what waits, and its handler does not return to the instruction.
    if hasLostShadow { return takeAtEntry(vcpu, isBehind: false) }
    if form == .haltAfterSTI, machine.halt(vcpu, takesInterrupts: true) { return .halts }
    return takeAtEntry(vcpu, isBehind: true)
  }

  /// The vCPU enters with interrupts on: behind the instruction, or before it.
  private func takeAtEntry(_ vcpu: Int, isBehind: Bool) -> StepAnswer {
    machine.enter(vcpu)
    let answer = takeNext(vcpu)
    guard case .value(let vector, _) = answer else { return refused(answer, vcpu) }
    return .taken(vector: vector, isBehind: isBehind)
  }

  /// The host puts a vCPU back that could not enter, which makes it look for interrupts.
  private func refused(_ answer: StepAnswer, _ vcpu: Int) -> StepAnswer {
    if case .entryRefused = answer { machine.wake(vcpu) }
    return answer
  }
}
