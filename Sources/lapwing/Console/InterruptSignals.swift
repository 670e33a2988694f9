import Glibc
import Support

/// Ctrl-C and a polite kill: held back, so that a run can end in order, and asked for.
///
/// They stay pending in the process until it is asked, so nothing has to run in a signal handler.
struct InterruptSignals {
  private static let numbers = [SIGINT, SIGTERM]

  private let pendingSignals: PendingSignals?

  /// Holds the signals back, in this thread and those that it starts.
  init() {
    var set = Self.set
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    pendingSignals = try? PendingSignals(Self.numbers)
  }

  /// Whether one has come.
  var isPending: Bool { pending != nil }

  /// A descriptor that can be read while one has come; nil where the process has no descriptor left.
  var descriptor: Int32? { pendingSignals?.rawDescriptor }

  /// Takes the one that has come, and lets those that come later end the program as usual: by then it may be writing to
  /// a reader who has gone to sleep.
  ///
  /// - Returns: its number; nil where none has come.
  func release() -> Int32? {
    let taken = pending
    var set = Self.set
    if taken != nil {
      var number: Int32 = 0
      unsafe sigwait(&set, &number)
    }
    unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    return taken
  }

  private var pending: Int32? {
    var set = sigset_t()
    unsafe sigpending(&set)
    return Self.numbers.first { unsafe sigismember(&set, $0) == 1 }
  }

  private static var set: sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in numbers { unsafe sigaddset(&set, number) }
    return set
  }
}
