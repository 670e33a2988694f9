import APIC

/// Puts what a trace shows and what the guest wrote down together, interrupt by interrupt.
struct JourneyFinder {
  /// By how much the TSCs of the host's processors may differ, and a measured offset be wrong.
  private static let slack = Duration.microseconds(2)

  let events: JourneyEvents
  /// The kernel's ids of the vCPUs' threads, by index.
  let threads: [Int32]
  /// KVM's ids of the vCPUs, by index.
  let ids: [UInt32]
  /// Of the events' times.
  let clock: TraceClock
  /// Of the times at which interrupts were taken.
  let guest: GuestTSC
  /// Whether entries and exits were recorded, and nothing was lost: else what is not there may have happened.
  let tellsPresence: Bool
  /// Whether no event was lost.
  var isWhole = true
  /// How all interrupts of a vCPU got there that it wrote down, where its counters say that of all.
  var paths: [Int: DeliveryPath] = [:]
  /// The vectors of the local vector table, by vCPU.
  var localVectors: [[Vector: LocalVector]] = []
  /// What vCPUs send to each other without KVM.
  var processorIPIs: ProcessorIPIs?

  /// The journeys of what the guest wrote down and of what nobody did, in their order.
  ///
  /// - Parameter taken: what the guest wrote down; none of one that writes down nothing.
  func journeys(of taken: [InterruptTaken]) -> [InterruptJourney] {
    var rests: [JourneyEvents.Place: PlaceEvents] = [:]
    var found = writtenJourneys(of: taken, leaving: &rests)
    for vcpu in ids.indices {
      for number in 16...UInt8.max {
        let place = JourneyEvents.Place(vcpu: vcpu, vector: Vector(rawValue: number))
        found += unwritten(at: place, rests[place] ?? PlaceEvents(events, place, self))
      }
    }
    return ordered(found)
  }

  /// The journeys of what the guest wrote down alone, in the order in which it was taken.
  func writtenJourneys(of taken: [InterruptTaken]) -> [InterruptJourney] {
    var rests: [JourneyEvents.Place: PlaceEvents] = [:]
    return ordered(writtenJourneys(of: taken, leaving: &rests))
  }

  /// - Parameter rests: gets what events are left, by vCPU and vector.
  private func writtenJourneys(
    of taken: [InterruptTaken], leaving rests: inout [JourneyEvents.Place: PlaceEvents]
  ) -> [InterruptJourney] {
    let slack = slack
    // A guest may write down any time.
    let range = slack...(.max - slack)
    var found: [InterruptJourney] = []
    for (place, taken) in Dictionary(grouping: taken, by: { JourneyEvents.Place(vcpu: $0.vcpu, vector: $0.vector) }) {
      let times = taken.map { min(max(guest.hostCycles(at: $0.tsc), range.lowerBound), range.upperBound) }
      var rest = PlaceEvents(events, place, self)
      found += journeys(at: place, times.sorted(), &rest)
      rests[place] = rest
    }
    return found
  }

  private func ordered(_ journeys: [InterruptJourney]) -> [InterruptJourney] {
    journeys.sorted {
      ($0.moment ?? 0, $0.vcpu, $0.vector.rawValue) < ($1.moment ?? 0, $1.vcpu, $1.vector.rawValue)
    }
  }

  private var slack: UInt64 { clock.cycles(in: Self.slack) }

  /// A vCPU's interrupts of one vector that it wrote down. Each takes what lies between its predecessor and itself; what
  /// comes after its injection is its successor's, as it has left the IRR by then.
  private func journeys(
    at place: JourneyEvents.Place, _ taken: [UInt64], _ rest: inout PlaceEvents
  ) -> [InterruptJourney] {
    let slack = slack
    return taken.enumerated().map { index, time in
      let injection = rest.injected.takeFirst { $0 <= time + slack }
      _ = rest.reinjected.takeAll { $0 <= time + slack }
      let delivery = injection ?? time + slack
      let acceptances = rest.accepted.takeAll { $0.time <= delivery }
      let posts = rest.posted.takeAll { $0 <= delivery }
      let origin = acceptances.first?.time ?? posts.first
      let wakeup = rest.wokenUp.takeAll { $0.time <= delivery }.last { $0.time >= origin ?? time }
      let meeting = tellsPresence ? acceptances.first?.meeting(taken: time) : nil
      let next = index + 1 < taken.count ? taken[index + 1] : nil
      _ = rest.ended.takeAll { $0 < time - slack }
      let end = rest.ended.takeFirst { next == nil || $0 <= next ?? time }
      var journey = InterruptJourney(vcpu: place.vcpu, vector: place.vector)
      journey.source = acceptances.first.flatMap { source(of: $0, at: place) }
      journey.accepted = acceptances.first.map { clock.nanoseconds($0.time) }
      journey.coalesced = max(0, acceptances.count - 1)
      journey.posted = posts.first.map(clock.nanoseconds)
      journey.wokenUp = wakeup.map { clock.nanoseconds($0.time) }
      journey.injected = injection.map(clock.nanoseconds)
      journey.taken = clock.nanoseconds(time)
      journey.ended = end.map(clock.nanoseconds)
      journey.stayedInGuest = meeting.map { $0 == .inGuest }
      journey.exit = meeting?.exit
      journey.exitBefore = meeting?.exitBefore
      if acceptances.isEmpty, posts.isEmpty, injection == nil {
        sendByProcessor(&journey, at: place, after: index > 0 ? taken[index - 1] : nil, taken: time)
      }
      if journey.path != nil {
        // It is known by its sender.
      } else if injection != nil {
        journey.path = .software
      } else if !posts.isEmpty || paths[place.vcpu] == .virtualDelivery {
        journey.path = meeting == .inGuest ? .posted : .virtualDelivery
        journey.isPathConcluded = posts.isEmpty
      } else {
        journey.path = paths[place.vcpu]
        journey.isPathConcluded = journey.path != nil
      }
      return journey
    }
  }

  /// Completes the journey of an interrupt that nothing shows, where another vCPU's processor sent it.
  private func sendByProcessor(
    _ journey: inout InterruptJourney, at place: JourneyEvents.Place, after before: UInt64?, taken: UInt64
  ) {
    guard tellsPresence, ids.indices.contains(place.vcpu),
      let (sender, meeting) = processorIPIs?.meeting(at: place, id: ids[place.vcpu], after: before, taken: taken)
    else { return }
    journey.source = .ipi(vcpu: sender)
    journey.stayedInGuest = meeting == .inGuest
    journey.exit = meeting.exit
    journey.exitBefore = meeting.exitBefore
    journey.path = meeting == .inGuest ? .posted : .virtualDelivery
    journey.isPathConcluded = true
  }

  /// What an interrupt that a local APIC accepted came from.
  func source(of acceptance: Acceptance, at place: JourneyEvents.Place) -> InterruptSource? {
    InterruptSource(
      acceptance.origin, on: threads.firstIndex(of: acceptance.thread), for: place.vcpu,
      localVector: localVectors.indices.contains(place.vcpu) ? localVectors[place.vcpu][place.vector] : nil)
  }
}

/// What is left of the events of a vector on a vCPU.
struct PlaceEvents {
  var accepted: ArraySlice<Acceptance>
  var posted: ArraySlice<UInt64>
  var injected: ArraySlice<UInt64>
  var reinjected: ArraySlice<UInt64>
  var ended: ArraySlice<UInt64>
  var wokenUp: ArraySlice<JourneyEvents.WakeUp>

  /// Whether there is no interrupt in them.
  var isEmpty: Bool { [posted, injected, reinjected, ended].allSatisfy(\.isEmpty) && accepted.isEmpty }

  /// All of them; none for a vCPU that a guest made up.
  init(_ events: JourneyEvents, _ place: JourneyEvents.Place, _ finder: JourneyFinder) {
    let isThere = finder.ids.indices.contains(place.vcpu)
    let seen = isThere ? events.seen(finder.ids[place.vcpu], place.vector) : JourneyEvents.Seen()
    accepted = seen.accepted[...]
    posted = seen.posted[...]
    ended = seen.ended[...]
    let thread = finder.threads.indices.contains(place.vcpu) ? finder.threads[place.vcpu] : nil
    injected = thread.map { events.injected(on: $0, place.vector)[...] } ?? []
    reinjected = thread.map { events.reinjected(on: $0, place.vector)[...] } ?? []
    wokenUp = thread.map { events.wokenUp(on: $0)[...] } ?? []
  }
}

extension ArraySlice {
  /// Takes the first element off, if it is like that.
  fileprivate mutating func takeFirst(_ predicate: (Element) -> Bool) -> Element? {
    guard let first, predicate(first) else { return nil }
    return popFirst()
  }

  /// Takes the elements off that are like that, up to the first that is not.
  fileprivate mutating func takeAll(_ predicate: (Element) -> Bool) -> ArraySlice {
    let taken = prefix(while: predicate)
    self = self[taken.endIndex...]
    return taken
  }
}

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
