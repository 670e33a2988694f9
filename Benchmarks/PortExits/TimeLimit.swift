import Glibc

/// Ends the program, whatever it does, when its time is over.
enum TimeLimit {
  static let status: Int32 = 124

  static func set(seconds: UInt32) {
    _ = signal(SIGALRM) { _ in
      // Nothing but what a signal handler may do (signal-safety(7)).
      let message: StaticString = "port-exits: the time limit passed\n"
      _ = unsafe write(STDERR_FILENO, message.utf8Start, message.utf8CodeUnitCount)
      _exit(TimeLimit.status)
    }
    alarm(seconds)
  }
}
