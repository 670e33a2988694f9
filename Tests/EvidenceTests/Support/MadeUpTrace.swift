import APIC
import KVM
import VMM

@testable import Evidence

/// An event on the thread of vCPU 0 (100) or 1 (101), or of the VMM (99).
func event(_ time: UInt64, on thread: Int32, _ detail: TraceEvent.Detail) -> TraceEvent {
  TraceEvent(time: time, thread: thread, detail: detail)
}

extension TraceEvent.Detail {
  /// An exit for an external interrupt of the host's, as VMX has it.
  static let externalInterrupt = exited(reason: ExitReason(number: 1, architecture: 1))
  /// An exit for HLT.
  static let halt = exited(reason: ExitReason(number: 12, architecture: 1))
}

extension JourneyFinder {
  /// Of events that were made up, on two vCPUs with the ids 0 and 7, whose timers have vector 0x30. The host's TSC counts
  /// nanoseconds from 0 on.
  static func madeUp(
    _ events: [TraceEvent], guestAhead offset: UInt64 = 0, tellsPresence: Bool, isWhole: Bool = true,
    paths: [Int: DeliveryPath] = [:], localVectors: [[Vector: LocalVector]] = [[0x30: .timer], [0x30: .timer]]
  ) -> JourneyFinder {
    var kept = JourneyEvents()
    for event in events { kept.take(event) }
    return JourneyFinder(
      events: kept, threads: [100, 101], ids: [0, 7], clock: .madeUp,
      guest: GuestTSC(offset: offset), tellsPresence: tellsPresence, isWhole: isWhole, paths: paths,
      localVectors: localVectors)
  }
}

extension TraceClock {
  /// Of a TSC that counts nanoseconds from 0 on.
  static var madeUp: TraceClock {
    let start = ContinuousClock.now
    return TraceClock(
      Reading(value: start, cycles: 0, width: 0),
      Reading(value: start + .milliseconds(1), cycles: 1_000_000, width: 0))
  }
}
