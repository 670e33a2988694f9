import APIC

/// Puts what a trace shows and what the guest wrote down together, interrupt by interrupt.
struct JourneyFinder {
  /// By how much the TSCs of the host's processors may differ, and a measured offset be wrong.
  private static let slack = Duration.microseconds(2)

  let events: JourneyEvents
  /// Of their times.
  let clock: TraceClock
  /// Of the times at which interrupts were taken.
  let guest: GuestTSC
  /// How all interrupts of a vCPU got there, where its counters say that of all.
  let paths: [Int: DeliveryPath]
  /// When the vCPUs were in the guest; nil where that was not recorded.
  var residency: GuestResidency?

  /// The journeys of what was taken, in the order in which it was taken.
  func journeys(of taken: [InterruptTaken]) -> [InterruptJourney] {
    let byPlace = Dictionary(grouping: taken) { JourneyEvents.Place(vcpu: $0.vcpu, vector: $0.vector) }
    let slack = clock.cycles(in: Self.slack)
    // A guest may write down any time.
    let range = slack...(.max - slack)
    return byPlace.flatMap { place, taken in
      let times = taken.map { min(max(guest.hostCycles(at: $0.tsc), range.lowerBound), range.upperBound) }
      return journeys(at: place, times.sorted(), slack: slack)
    }
    .sorted { ($0.taken, $0.vcpu, $0.vector.rawValue) < ($1.taken, $1.vcpu, $1.vector.rawValue) }
  }

  /// A vCPU's interrupts of one vector. Each takes what lies between its predecessor and itself; what comes after its
  /// injection is its successor's, as it has left the IRR by then.
  private func journeys(
    at place: JourneyEvents.Place, _ taken: [UInt64], slack: UInt64
  ) -> [InterruptJourney] {
    var accepted = (events.accepted[place] ?? [])[...]
    var posted = (events.posted[place] ?? [])[...]
    var injected = (events.injected[place] ?? [])[...]
    var ended = (events.ended[place] ?? [])[...]
    var wokenUp = (events.wokenUp[place.vcpu] ?? [])[...]
    return taken.enumerated().map { index, time in
      let injection = injected.takeFirst { $0 <= time + slack }
      let delivery = injection ?? time + slack
      let acceptances = accepted.takeAll { $0.time <= delivery }
      let posts = posted.takeAll { $0 <= delivery }
      let origin = acceptances.first?.time ?? posts.first
      let wakeup = wokenUp.takeAll { $0 <= delivery }.last { $0 >= origin ?? time }
      let meeting = acceptances.first.flatMap {
        residency?.meeting(of: place.vcpu, accepted: $0.time, taken: time)
      }
      let next = index + 1 < taken.count ? taken[index + 1] : nil
      _ = ended.takeAll { $0 < time - slack }
      let end = ended.takeFirst { next == nil || $0 <= next ?? time }
      return InterruptJourney(
        vcpu: place.vcpu, vector: place.vector, source: acceptances.first?.source,
        accepted: acceptances.first.map { clock.instant($0.time) }, coalesced: max(0, acceptances.count - 1),
        posted: posts.first.map(clock.instant), wokenUp: wakeup.map(clock.instant),
        injected: injection.map(clock.instant), taken: clock.instant(time), ended: end.map(clock.instant),
        stayedInGuest: meeting.map { $0 == .inGuest }, exit: meeting?.exit,
        path: path(place.vcpu, isInjected: injection != nil, isPosted: !posts.isEmpty, meeting))
    }
  }

  private func path(
    _ vcpu: Int, isInjected: Bool, isPosted: Bool, _ meeting: GuestResidency.Meeting?
  ) -> DeliveryPath? {
    if isInjected { return .software }
    let isDeliveredByHardware = isPosted || paths[vcpu] == .virtualDelivery
    guard isDeliveredByHardware else { return paths[vcpu] }
    return meeting == .inGuest ? .posted : .virtualDelivery
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
