import Glibc
import KVM

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
