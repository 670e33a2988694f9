/// An interrupt, as far as it was seen: times are in the unit of the trace's clock.
struct InterruptDraft {
  var acceptance: Acceptance?
  /// How many more were accepted before it was delivered.
  var coalesced = 0
  var posted: UInt64?
  var wokenUp: UInt64?
  var injected: UInt64?
  /// Whether the processor had delivered it before it was injected.
  var wasDelivered = false
  var ended: UInt64?

  /// The first that was seen of it on its way to the vCPU.
  var first: UInt64? { acceptance?.time ?? posted }

  /// How it got into the guest, where nobody wrote down when it was taken.
  ///
  /// - Parameter tellsPresence: whether entries and exits were recorded, and nothing was lost.
  func way(tellsPresence: Bool) -> (path: DeliveryPath?, isConcluded: Bool, stayedInGuest: Bool?) {
    if wasDelivered { return (.virtualDelivery, true, nil) }
    if injected != nil { return (.software, false, nil) }
    guard posted != nil else { return (nil, false, nil) }
    let meeting = tellsPresence ? acceptance?.concludedMeeting : nil
    return (meeting == .inGuest ? .posted : .virtualDelivery, true, meeting.map { $0 == .inGuest })
  }
}

/// What a trace tells, so that what is not in it may be concluded from.
struct TraceKnowledge {
  /// Whether entries and exits were recorded, and nothing was lost.
  var tellsPresence: Bool
  /// Whether no event was lost.
  var isWhole: Bool
  /// Whether software injects interrupts of the vCPU, and KVM says so.
  var injects: Bool
}

/// The interrupts of one vector on one vCPU that are under way: the rules by which events, in the order of time, belong to
/// the same interrupt. What was delivered, and how, is shown where an event says it and otherwise concluded.
struct OpenInterrupts {
  /// What was accepted and, as far as was seen, not delivered.
  private(set) var pending: InterruptDraft?
  /// What was delivered, and not ended yet.
  private(set) var served: InterruptDraft?

  /// Another that comes while one waits is one with it, where that cannot have been taken in between.
  ///
  /// - Returns: what is over by this, and whether the interrupt is one with the one that waits.
  mutating func accept(
    _ acceptance: Acceptance, _ knowledge: TraceKnowledge
  ) -> (finished: InterruptDraft?, isCoalesced: Bool) {
    var finished: InterruptDraft?
    if let earlier = pending, let first = earlier.acceptance {
      let waitsForInjection = knowledge.injects && knowledge.isWhole && earlier.posted == nil
      let mayBeTaken = !knowledge.tellsPresence || first.mayHaveBeenTaken(before: acceptance)
      guard !waitsForInjection, mayBeTaken else {
        pending?.coalesced += 1
        return (nil, true)
      }
      finished = serve(earlier)
    }
    pending = InterruptDraft(acceptance: acceptance)
    return (finished, false)
  }

  mutating func post(_ time: UInt64) {
    if pending == nil { pending = InterruptDraft() }
    if pending?.posted == nil { pending?.posted = time }
  }

  /// - Returns: what is over by this.
  mutating func inject(_ time: UInt64) -> InterruptDraft? {
    var draft = pending ?? InterruptDraft()
    pending = nil
    draft.injected = time
    return serve(draft)
  }

  /// An exit in the middle of its delivery has software inject an interrupt anew. One that it did not inject before was
  /// delivered by the processor: maybe without any event, as an interrupt that a virtualized APIC sends to itself is.
  ///
  /// - Returns: what is over by this.
  mutating func injectAnew(_ time: UInt64) -> InterruptDraft? {
    guard served?.injected == nil else { return nil }
    var draft = pending ?? InterruptDraft()
    pending = nil
    draft.injected = time
    draft.wasDelivered = true
    return serve(draft)
  }

  /// - Returns: the interrupt, which is over.
  mutating func end(_ time: UInt64) -> InterruptDraft {
    // What waits was delivered if something has ended, and nothing else was there.
    var draft = served ?? pending ?? InterruptDraft()
    if served == nil { pending = nil }
    served = nil
    draft.ended = time
    return draft
  }

  /// The vCPU goes on, which was halted since then: for what came meanwhile.
  mutating func wakeUp(_ time: UInt64, haltedSince begin: UInt64) {
    if let draft = pending, Self.wakes(draft, time, begin) { pending?.wokenUp = time }
    if let draft = served, Self.wakes(draft, time, begin) { served?.wokenUp = time }
  }

  private static func wakes(_ draft: InterruptDraft, _ time: UInt64, _ begin: UInt64) -> Bool {
    guard draft.wokenUp == nil, draft.injected == nil, let first = draft.first else { return false }
    return begin...max(begin, time) ~= first
  }

  /// The vCPU leaves the guest, for what was accepted while it was in there.
  mutating func leave(_ time: UInt64, _ reason: ExitReason) {
    pending?.leave(time, reason)
    served?.leave(time, reason)
  }

  /// The interrupt before has ended by then, as one does not interrupt its own handler.
  private mutating func serve(_ draft: InterruptDraft) -> InterruptDraft? {
    defer { served = draft }
    return served
  }

  /// Forgets what is under way: in the order in which it came.
  mutating func takeAll() -> [InterruptDraft] {
    defer { (served, pending) = (nil, nil) }
    return [served, pending].compactMap(\.self)
  }
}

extension InterruptDraft {
  /// Whether the vCPU was in the guest when it was accepted and has not left it since, as far as was seen.
  var awaitsExit: Bool { acceptance.map { $0.presence.isInGuest == true && $0.exit == nil } ?? false }

  /// The vCPU leaves the guest.
  mutating func leave(_ time: UInt64, _ reason: ExitReason) {
    if awaitsExit { acceptance?.exit = (time, reason) }
  }
}
