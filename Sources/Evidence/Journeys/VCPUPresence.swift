import APIC

/// How an interrupt met its vCPU, by the entries and exits that a trace shows.
///
/// This is what tells an interrupt that was posted into a running guest from one that was set in the posted-interrupt
/// descriptor while its vCPU was outside, or was driven out for it, and that was delivered at the next VM entry (SDM
/// volume 3C, sections 31.2.2 and 31.6). A counter cannot: to the counters a posting that has become a kick, an exit for an
/// external interrupt and an entry, looks like a tick of the host's.
enum Meeting: Hashable {
  /// The vCPU was in the guest when its local APIC accepted the interrupt, and still was when the handler ran.
  case inGuest
  /// It left the guest for this reason before the handler ran.
  case drivenOut(ExitReason)
  /// It was outside, since it had left for this reason; nil where that exit was not seen.
  case outside(since: ExitReason?)

  /// The reason for which the vCPU left the guest meanwhile.
  var exit: ExitReason? {
    if case .drivenOut(let exit) = self { exit } else { nil }
  }

  /// The reason for which it had left the guest before.
  var exitBefore: ExitReason? {
    if case .outside(let exit) = self { exit } else { nil }
  }
}

/// Where a vCPU is, by the entries and exits that were seen of it so far.
struct VCPUPresence {
  /// Whether it is in the guest; nil before its first entry or exit.
  private(set) var isInGuest: Bool?
  /// Why it left the guest last; nil before it did.
  private(set) var lastExit: ExitReason?
  /// How often it has entered the guest.
  private(set) var entries = 0

  mutating func enter() {
    isInGuest = true
    entries += 1
  }

  mutating func exit(for reason: ExitReason) {
    isInGuest = false
    lastExit = reason
  }
}

/// An interrupt that a local APIC accepted, and where its vCPU was: times are cycles of the host's TSC.
struct Acceptance {
  /// What raised it, on the thread on which it was accepted.
  enum Origin: Hashable {
    case ipi
    case message
    case line(gsi: UInt32)
    case heldLine(pin: UInt32)
    /// Nothing that was seen there.
    case unseen
  }

  var time: UInt64
  var thread: Int32
  var origin: Origin
  /// Where its vCPU was then.
  var presence: VCPUPresence
  /// Why and when the vCPU left the guest next, where it was in it.
  var exit: (time: UInt64, reason: ExitReason)?

  /// How it met its vCPU; nil where no entry or exit of the vCPU was seen before.
  ///
  /// - Parameter taken: when its handler ran, by its own time stamp.
  func meeting(taken: UInt64) -> Meeting? {
    guard let isInGuest = presence.isInGuest else { return nil }
    guard isInGuest else { return .outside(since: presence.lastExit) }
    guard let exit, exit.time < taken else { return .inGuest }
    return .drivenOut(exit.reason)
  }

  /// How it met its vCPU, where nobody wrote down when it was taken: concluded. nil where that is not to be had: what was
  /// in the guest and left it for an interrupt of the host's may have left it for the notification, unless the trace says
  /// for which vector it was.
  var concludedMeeting: Meeting? {
    guard let isInGuest = presence.isInGuest else { return nil }
    guard isInGuest else { return .outside(since: presence.lastExit) }
    return exit.map { $0.reason.mayBeNotification } == true ? nil : .inGuest
  }

  /// Whether the vCPU was in the guest between this and a later acceptance, so that it may have taken this in between. One
  /// that was outside all the time cannot have, and both are one interrupt. True where entries and exits do not tell.
  func mayHaveBeenTaken(before later: Acceptance) -> Bool {
    guard let isInGuest = presence.isInGuest else { return true }
    return isInGuest || later.presence.entries > presence.entries
  }
}

/// Interrupts that one vCPU's processor sends to another without KVM (IPI virtualization, SDM volume 3C, section 31.1.6): no
/// event shows them, so they are known by their senders and by where their targets were.
struct ProcessorIPIs {
  /// Who sends a vector to a vCPU, nil where several do, and since when: a time of the trace.
  struct Sender: Hashable {
    var vcpu: Int?
    let since: UInt64
  }

  private var senders: [JourneyEvents.Place: Sender]
  private var targetOfThread: [Int32: UInt32] = [:]
  /// When the vCPU with an id entered the guest, and when it left it; nil of the last where it did not.
  private var stays: [UInt32: [(entered: UInt64, left: UInt64?)]] = [:]
  /// When it left it, and why, in the order of time.
  private var exits: [UInt32: [(time: UInt64, reason: ExitReason)]] = [:]

  /// - Parameters:
  ///   - senders: by vCPU and vector; others may send them too, if by KVM.
  ///   - events: entries and exits of all vCPUs, in the order of time.
  init(_ senders: [JourneyEvents.Place: Sender], _ events: some Sequence<TraceEvent>) {
    self.senders = senders
    guard !senders.isEmpty else { return }
    for event in events { take(event) }
  }

  private mutating func take(_ event: TraceEvent) {
    switch event.detail {
    case .entered(let id):
      targetOfThread[event.thread] = id
      stays[id, default: []].append((event.time, nil))
    case .exited(let reason):
      guard let id = targetOfThread[event.thread], let last = stays[id]?.indices.last,
        stays[id]?[last].left == nil
      else { return }
      stays[id]?[last].left = event.time
      exits[id, default: []].append((event.time, reason))
    default: break
    }
  }

  /// Who sent an interrupt that KVM did not see, and whether its target was in the guest from before it was sent until it
  /// was taken; nil where nobody is known to send it. Where it was not, the exit is one that may have been in its way.
  ///
  /// It was sent after the one before was taken, whose delivery cleared its bit in the IRR: what came earlier is one with
  /// that. In one stay it can only have been posted into the running guest.
  ///
  /// - Parameters:
  ///   - place: the vCPU and the vector.
  ///   - id: KVM's id of the vCPU.
  ///   - before: when the one before was taken; nil for the first.
  ///   - taken: when it was.
  func meeting(
    at place: JourneyEvents.Place, id: UInt32, after before: UInt64?, taken: UInt64
  ) -> (sender: Int?, meeting: Meeting)? {
    guard let sender = senders[place], sender.since <= taken else { return nil }
    let since = max(sender.since, before ?? 0)
    if (stays[id] ?? []).contains(where: { $0.entered <= since && taken < $0.left ?? .max }) {
      return (sender.vcpu, .inGuest)
    }
    // It may have met any of the exits meanwhile: one that is not for the host's own sake says the most.
    let exits = exits[id] ?? []
    let meanwhile = exits.filter { since < $0.time && $0.time <= taken }
    if let exit = meanwhile.first(where: { !$0.reason.isHostsOwn }) ?? meanwhile.last {
      return (sender.vcpu, .drivenOut(exit.reason))
    }
    return (sender.vcpu, .outside(since: exits.last { $0.time <= since }?.reason))
  }
}
