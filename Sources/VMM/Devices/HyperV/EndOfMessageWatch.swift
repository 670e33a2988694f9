import Glibc
import KVM
import Support
import Synchronization
import SystemPackage

/// A thread that does something whenever a guest says that it has emptied a slot: KVM tells of that by an eventfd alone.
final class EndOfMessageWatch: Sendable {
  private let thread: pthread_t
  private let end: Ending

  /// What tells the thread to end.
  private final class Ending: Sendable {
    let wakeup: Wakeup
    private let isOver = Mutex(false)

    init() throws(Errno) { wakeup = try Wakeup() }

    var hasCome: Bool { isOver.withLock { $0 } }

    func come() {
      isOver.withLock { $0 = true }
      wakeup.signal()
    }
  }

  /// - Throws: The error of pthread_create(3) or eventfd(2) where the host has no thread or descriptor left.
  init(_ lines: SINTLines, _ body: @escaping @Sendable () -> Void) throws(Errno) {
    let end = try Ending()
    self.end = end
    thread = try HostThread.start {
      while !end.hasCome {
        end.wakeup.wait(or: lines.ended.rawDescriptor)
        if let count = try? lines.ended.read(), count > 0 { body() }
      }
    }
  }

  deinit {
    end.come()
    pthread_join(thread, nil)
  }
}
