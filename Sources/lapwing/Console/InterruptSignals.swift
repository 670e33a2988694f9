import Glibc

/// Ctrl-C and a polite kill: held back, so that a run can end in order, and asked for.
///
/// They stay pending in the process until it is asked, so nothing has to run in a signal handler.
struct InterruptSignals {
  private static let numbers = [SIGINT, SIGTERM]

  /// Holds the signals back, in this thread and those that it starts.
  init() {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    for number in Self.numbers { unsafe sigaddset(&set, number) }
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Whether one has come.
  var isPending: Bool {
    var set = sigset_t()
    unsafe sigpending(&set)
    return Self.numbers.contains { unsafe sigismember(&set, $0) == 1 }
  }
}
