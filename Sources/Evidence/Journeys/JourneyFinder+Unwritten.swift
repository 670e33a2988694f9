import APIC

extension JourneyFinder {
  /// A vCPU's interrupts of one vector that nobody wrote down, from events alone.
  ///
  /// - Parameters:
  ///   - place: the vCPU and the vector.
  ///   - rest: the events, without those that belong to interrupts that were written down.
  func unwritten(at place: JourneyEvents.Place, _ rest: PlaceEvents) -> [InterruptJourney] {
    guard threads.indices.contains(place.vcpu), !rest.isEmpty else { return [] }
    let knowledge = TraceKnowledge(
      tellsPresence: tellsPresence, isWhole: isWhole, injects: events.hasInjections(on: threads[place.vcpu]))
    var rest = rest
    var open = OpenInterrupts()
    var done: [InterruptDraft] = []
    func finish(_ draft: InterruptDraft?) { if let draft { done.append(draft) } }
    let end = UInt64.max
    // Of the same moment, in the order in which the kernel goes on.
    while true {
      let times = [
        rest.accepted.first?.time, rest.posted.first, rest.wokenUp.first?.time, rest.injected.first,
        rest.reinjected.first, rest.ended.first,
      ].map { $0 ?? end }
      guard let least = times.min(), least != end, let kind = times.firstIndex(of: least) else { break }
      switch kind {
      case 0: if let acceptance = rest.accepted.popFirst() { finish(open.accept(acceptance, knowledge).finished) }
      case 1: open.post(rest.posted.removeFirst())
      case 2:
        if let wakeUp = rest.wokenUp.popFirst() { open.wakeUp(wakeUp.time, haltedSince: clock.beginning(of: wakeUp)) }
      case 3: finish(open.inject(rest.injected.removeFirst()))
      case 4: finish(open.injectAnew(rest.reinjected.removeFirst()))
      default: finish(open.end(rest.ended.removeFirst()))
      }
    }
    return (done + open.takeAll()).map { journey($0, at: place) }
  }

  private func journey(_ draft: InterruptDraft, at place: JourneyEvents.Place) -> InterruptJourney {
    let source = draft.acceptance.flatMap { self.source(of: $0, at: place) }
    return InterruptJourney(
      TrackedJourney(
        draft, source: source, vcpu: place.vcpu, vector: place.vector, tellsPresence: tellsPresence), clock)
  }
}

extension TraceClock {
  /// When a vCPU that goes on was halted, give or take the difference between two processors' TSCs.
  func beginning(of wakeUp: JourneyEvents.WakeUp) -> UInt64 {
    let halted = cycles(in: .nanoseconds(Int64(clamping: wakeUp.halted)) + .microseconds(2))
    return wakeUp.time >= halted ? wakeUp.time - halted : 0
  }
}
