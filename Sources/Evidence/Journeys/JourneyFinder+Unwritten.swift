import APIC

extension JourneyFinder {
  /// A vCPU's interrupts of one vector that nobody wrote down, from events alone: what was delivered, and how, is shown where
  /// an event says it and otherwise concluded.
  ///
  /// - Parameters:
  ///   - place: the vCPU and the vector.
  ///   - rest: the events, without those that belong to interrupts that were written down.
  func unwritten(at place: JourneyEvents.Place, _ rest: PlaceEvents) -> [InterruptJourney] {
    guard threads.indices.contains(place.vcpu), !rest.isEmpty else { return [] }
    var builder = UnwrittenJourneys(
      finder: self, place: place, injects: events.hasInjections(on: threads[place.vcpu]))
    var accepted = rest.accepted
    var (posted, injected, reinjected, ended) = (rest.posted, rest.injected, rest.reinjected, rest.ended)
    let end = UInt64.max
    // Of the same moment, in the order in which the kernel goes on.
    while true {
      let times = [accepted.first?.time, posted.first, injected.first, reinjected.first, ended.first].map { $0 ?? end }
      guard let least = times.min(), least != end, let kind = times.firstIndex(of: least) else { break }
      switch kind {
      case 0: if let acceptance = accepted.popFirst() { builder.accept(acceptance) }
      case 1: builder.post(posted.removeFirst())
      case 2: builder.inject(injected.removeFirst())
      case 3: builder.injectAnew(reinjected.removeFirst())
      default: builder.end(ended.removeFirst())
      }
    }
    return builder.finish(rest.wokenUp)
  }
}

/// Journeys that are put together from events alone.
private struct UnwrittenJourneys {
  let finder: JourneyFinder
  let place: JourneyEvents.Place
  /// Whether software injects interrupts of this vCPU, and KVM says so.
  let injects: Bool

  /// An interrupt, as far as it was seen.
  private struct Draft {
    var acceptance: Acceptance?
    var coalesced = 0
    var posted: UInt64?
    var injected: UInt64?
    /// Whether the processor had delivered it before it was injected.
    var wasDelivered = false
    var ended: UInt64?
  }

  /// What was accepted and, as far as was seen, not delivered.
  private var pending: Draft?
  /// What was delivered, and not ended yet.
  private var served: Draft?
  private var done: [Draft] = []

  init(finder: JourneyFinder, place: JourneyEvents.Place, injects: Bool) {
    self.finder = finder
    self.place = place
    self.injects = injects
  }

  /// Another that comes while one waits is one with it, where that cannot have been taken in between.
  mutating func accept(_ acceptance: Acceptance) {
    if let earlier = pending, let first = earlier.acceptance {
      let waitsForInjection = injects && finder.isWhole && earlier.posted == nil
      let mayBeTaken = !finder.tellsPresence || first.mayHaveBeenTaken(before: acceptance)
      guard !waitsForInjection, mayBeTaken else {
        pending?.coalesced += 1
        return
      }
      serve(earlier)
    }
    pending = Draft(acceptance: acceptance)
  }

  mutating func post(_ time: UInt64) {
    if pending == nil { pending = Draft() }
    if pending?.posted == nil { pending?.posted = time }
  }

  mutating func inject(_ time: UInt64) {
    var draft = pending ?? Draft()
    pending = nil
    draft.injected = time
    serve(draft)
  }

  /// An exit in the middle of its delivery has software inject an interrupt anew. One that it did not inject before was
  /// delivered by the processor: maybe without any event, as an interrupt that a virtualized APIC sends to itself is.
  mutating func injectAnew(_ time: UInt64) {
    guard served?.injected == nil else { return }
    var draft = pending ?? Draft()
    pending = nil
    draft.injected = time
    draft.wasDelivered = true
    serve(draft)
  }

  mutating func end(_ time: UInt64) {
    // What waits was delivered if something has ended, and nothing else was there.
    var draft = served ?? pending ?? Draft()
    if served == nil { pending = nil }
    served = nil
    draft.ended = time
    done.append(draft)
  }

  /// The interrupt before has ended by then, as one does not interrupt its own handler.
  private mutating func serve(_ draft: Draft) {
    if let served { done.append(served) }
    served = draft
  }

  /// The journeys.
  ///
  /// - Parameter wakeUps: when the vCPU went on after HLT, and how long it had been halted.
  consuming func finish(_ wakeUps: ArraySlice<JourneyEvents.WakeUp>) -> [InterruptJourney] {
    done += [served, pending].compactMap(\.self)
    var wakeUps = wakeUps
    return done.map { draft in
      let first = draft.acceptance?.time ?? draft.posted
      let wakeUp = first.flatMap { time -> UInt64? in
        while let next = wakeUps.first, next.time < time { wakeUps.removeFirst() }
        guard let next = wakeUps.first, next.time <= draft.injected ?? .max, finder.began(next) <= time else {
          return nil
        }
        return next.time
      }
      return journey(draft, wakeUp)
    }
  }

  private func journey(_ draft: Draft, _ wakeUp: UInt64?) -> InterruptJourney {
    let clock = finder.clock
    var journey = InterruptJourney(vcpu: place.vcpu, vector: place.vector)
    journey.source = draft.acceptance.flatMap { finder.source(of: $0, at: place) }
    journey.accepted = draft.acceptance.map { clock.nanoseconds($0.time) }
    journey.coalesced = draft.coalesced
    journey.posted = draft.posted.map(clock.nanoseconds)
    journey.wokenUp = wakeUp.map(clock.nanoseconds)
    journey.injected = draft.injected.map(clock.nanoseconds)
    journey.ended = draft.ended.map(clock.nanoseconds)
    if draft.wasDelivered {
      journey.path = .virtualDelivery
      journey.isPathConcluded = true
    } else if draft.injected != nil {
      journey.path = .software
    } else if draft.posted != nil {
      let meeting = finder.tellsPresence ? draft.acceptance?.concludedMeeting : nil
      journey.stayedInGuest = meeting.map { $0 == .inGuest }
      journey.path = meeting == .inGuest ? .posted : .virtualDelivery
      journey.isPathConcluded = true
    }
    return journey
  }
}

extension JourneyFinder {
  /// When a vCPU that goes on was halted.
  fileprivate func began(_ wakeUp: JourneyEvents.WakeUp) -> UInt64 {
    let halted = clock.cycles(in: .nanoseconds(Int64(clamping: wakeUp.halted)) + .microseconds(2))
    return wakeUp.time >= halted ? wakeUp.time - halted : 0
  }
}
