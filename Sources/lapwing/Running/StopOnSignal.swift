import Glibc
import Support
import Synchronization
import SystemPackage
import VMM

/// Stops a machine when a signal asks the program to end, while this thread waits for something else.
enum StopOnSignal {
  private final class Flag: Sendable {
    let isSet = Atomic<Bool>(false)
  }

  /// Watches for the signals, on a thread of its own, until `body` is done.
  ///
  /// - Throws: `Failure` where the host has no thread or descriptor left; what `body` throws.
  static func watch<Value>(
    _ machine: Machine, _ signals: InterruptSignals, while body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let (isOver, descriptor) = (Flag(), signals.descriptor)
    let end: Wakeup
    let thread: pthread_t
    do throws(Errno) {
      end = try Wakeup()
      thread = try HostThread.start { [end, stop = machine.stop] in
        end.wait(or: descriptor)
        if !isOver.isSet.load(ordering: .acquiring) { stop.stop(.stopped) }
      }
    } catch {
      throw Failure(.thread(errno: error.rawValue))
    }
    defer {
      isOver.isSet.store(true, ordering: .releasing)
      end.signal()
      pthread_join(thread, nil)
    }
    return try body()
  }
}
