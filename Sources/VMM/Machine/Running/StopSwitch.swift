import Glibc
import KVM
import Synchronization

/// Ends a machine: the first reason wins, and whoever waits for the end wakes up.
public final class StopSwitch: Sendable {
  private let outcome = Mutex<Outcome?>(nil)
  private let flag = Atomic<Bool>(false)
  let event: EventDescriptor

  init() throws(KVMError) {
    event = try EventDescriptor()
  }

  /// Stops the machine for `reason`, unless it has been stopped already.
  public func stop(_ reason: Outcome) {
    let isFirst = outcome.withLock { outcome in
      guard outcome == nil else { return false }
      outcome = reason
      return true
    }
    guard isFirst else { return }
    flag.store(true, ordering: .releasing)
    // The descriptor is ours, open and far from full: writing 1 to it cannot fail.
    try? event.write(1)
  }

  /// Whether somebody has; cheap enough for every exit.
  var isStopped: Bool { flag.load(ordering: .acquiring) }

  /// Waits until somebody has, at most for `limit`; says whether somebody has.
  @discardableResult
  public func wait(atMost limit: Duration) -> Bool {
    event.wait(atMost: limit)
  }

  /// Why the machine ended, if it has.
  public var reason: Outcome? { outcome.withLock { $0 } }
}

extension EventDescriptor {
  /// Waits until the event is signalled, at most for `limit`; says whether it is. A signal may end the wait early: the
  /// caller looks at its deadline again.
  func wait(atMost limit: Duration) -> Bool {
    var descriptor = pollfd(fd: rawDescriptor, events: Int16(POLLIN), revents: 0)
    // Rounded up, so that a short wait does not become none at all.
    let milliseconds = (limit / .milliseconds(1)).rounded(.up)
    return unsafe poll(&descriptor, 1, Int32(min(milliseconds, 1e9))) > 0
  }
}
