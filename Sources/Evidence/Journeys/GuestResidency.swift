/// When a machine's vCPUs were in the guest, by the entries and exits that a trace shows: cycles of the host's TSC.
///
/// This is what tells an interrupt that was posted into a running guest from one that was set in the posted-interrupt
/// descriptor while its vCPU was outside, or was driven out for it, and that was delivered at the next VM entry (SDM
/// volume 3C, sections 31.2.2 and 31.6). A counter cannot: to the counters a posting that has become a kick, an exit for an
/// external interrupt and an entry, looks like a tick of the host's.
struct GuestResidency {
  /// A change of a vCPU's place.
  private struct Change {
    var time: UInt64
    var isEntry: Bool
    var reason = ""
  }

  /// How an interrupt met its vCPU.
  enum Meeting: Hashable {
    /// The vCPU was in the guest when its local APIC accepted the interrupt, and still was when the handler ran.
    case inGuest
    /// It was outside, or left the guest for this reason before the handler ran.
    case atEntry(exit: String?)

    /// The reason for which the vCPU left the guest meanwhile.
    var exit: String? {
      if case .atEntry(let exit) = self { exit } else { nil }
    }
  }

  private var changes: [Int: [Change]] = [:]

  /// The residency that a trace shows; nil where the trace has no entries and exits, or lost events.
  ///
  /// - Parameters:
  ///   - events: in the order of their times.
  ///   - threads: the kernel's ids of the vCPUs' threads, by index; more than one where a vCPU was run by several.
  ///   - isComplete: whether entries and exits were recorded, and no event was lost.
  init?(_ events: [TraceEvent], threads: [[Int32]], isComplete: Bool) {
    guard isComplete else { return nil }
    let vcpuOfThread = Dictionary(threads.enumerated().flatMap { vcpu, ids in ids.map { ($0, vcpu) } }) { first, _ in
      first
    }
    for event in events {
      guard let vcpu = vcpuOfThread[event.thread] else { continue }
      switch event.detail {
      case .entered: changes[vcpu, default: []].append(Change(time: event.time, isEntry: true))
      case .exited(let reason):
        changes[vcpu, default: []].append(Change(time: event.time, isEntry: false, reason: reason))
      default: break
      }
    }
  }

  /// How an interrupt met its vCPU; nil where no entry or exit of the vCPU was seen before.
  ///
  /// - Parameters:
  ///   - vcpu: the vCPU's index.
  ///   - accepted: when its local APIC accepted the interrupt.
  ///   - taken: when the interrupt's handler ran, by its own time stamp.
  func meeting(of vcpu: Int, accepted: UInt64, taken: UInt64) -> Meeting? {
    guard let changes = changes[vcpu] else { return nil }
    // The first change behind the acceptance, by bisection: a trace may have very many.
    var low = 0
    var high = changes.count
    while low < high {
      let middle = (low + high) / 2
      if changes[middle].time <= accepted { low = middle + 1 } else { high = middle }
    }
    guard low > 0 else { return nil }
    guard changes[low - 1].isEntry else { return .atEntry(exit: nil) }
    guard low < changes.count, changes[low].time < taken else { return .inGuest }
    return .atEntry(exit: changes[low].reason)
  }
}
