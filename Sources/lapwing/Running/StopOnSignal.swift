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

/// Ctrl-C, a polite kill and the end of the terminal: held back, so that a run can end in order, and asked for.
///
/// They stay pending in the process until it is asked, so nothing has to run in a signal handler. One that the process was
/// started to ignore, as nohup(1) starts it, stays ignored: held back it would come to be pending (signal(7)).
struct InterruptSignals {
  private static let all = [SIGINT, SIGTERM, SIGHUP]

  private let numbers: [Int32]
  private let pendingSignals: PendingSignals?

  /// Whether one has come that somebody holds back.
  static var isOnePending: Bool { firstPending(of: all) != nil }

  /// Holds the signals back, in this thread and those that it starts.
  ///
  /// - Parameter other: one of them that asks for something else; nil for none.
  init(except other: Int32? = nil) {
    numbers = Self.all.filter { $0 != other && !PendingSignals.isIgnored($0) }
    var set = Self.set(of: numbers)
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    pendingSignals = try? PendingSignals(numbers)
  }

  /// Whether one has come.
  var isPending: Bool { pending != nil }

  /// A descriptor that can be read while one has come; nil where the process has no descriptor left.
  var descriptor: Int32? { pendingSignals?.rawDescriptor }

  /// Takes the one that has come, and has a second one end the program: by then it may be writing to a reader who has gone
  /// to sleep. Where none has come, the first that does is too late: what there is to be told is not to be lost by it.
  ///
  /// - Returns: its number; nil where none has come.
  func release() -> Int32? {
    let taken = pending
    if let taken { _ = PendingSignals.take(taken) } else { PendingSignals.forgiveOne(of: numbers) }
    var set = Self.set(of: numbers)
    unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    return taken
  }

  private var pending: Int32? { Self.firstPending(of: numbers) }

  private static func firstPending(of numbers: [Int32]) -> Int32? {
    var set = sigset_t()
    unsafe sigpending(&set)
    return numbers.first { unsafe sigismember(&set, $0) == 1 }
  }

  private static func set(of numbers: [Int32]) -> sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in numbers { unsafe sigaddset(&set, number) }
    return set
  }
}
