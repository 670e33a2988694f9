import APIC

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
    case .exited:
      guard let id = targetOfThread[event.thread], let last = stays[id]?.indices.last,
        stays[id]?[last].left == nil
      else { return }
      stays[id]?[last].left = event.time
    default: break
    }
  }

  /// Who sent an interrupt that KVM did not see, and whether its target was in the guest from before it was sent until it
  /// was taken; nil where nobody is known to send it.
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
  ) -> (sender: Int?, stayedInGuest: Bool)? {
    guard let sender = senders[place], sender.since <= taken else { return nil }
    let since = max(sender.since, before ?? 0)
    let stayed = (stays[id] ?? []).contains { $0.entered <= since && taken < $0.left ?? .max }
    return (sender.vcpu, stayed)
  }
}
