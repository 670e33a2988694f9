import Glibc
import Synchronization

/// Holds the bootstrap processor back until the threads of all others are at the guest's door, as a PC's processors all
/// wait for INIT before the first instruction runs.
final class StartGate: Sendable {
  private let missing: Atomic<Int>

  /// A gate that so many threads other than the bootstrap processor's open.
  init(waitingFor count: Int) { missing = Atomic(count) }

  /// Comes to the gate on the thread of a vCPU. The bootstrap processor's waits there, unless the machine is stopped.
  func pass(_ index: Int, _ stop: StopSwitch) {
    guard index == 0 else {
      missing.subtract(1, ordering: .acquiringAndReleasing)
      return
    }
    // A thread takes some tens of microseconds to start: to sleep would take longer than to let it have the processor.
    while missing.load(ordering: .acquiring) > 0, !stop.isStopped { sched_yield() }
  }
}
