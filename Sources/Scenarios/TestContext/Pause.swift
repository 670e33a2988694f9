import Glibc

/// Waiting between two looks at a condition.
enum Pause {
  static func sleep(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    var time = timespec(tv_sec: Int(clamping: seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    // A signal may end it early, which only makes the next look come sooner.
    unsafe nanosleep(&time, nil)
  }
}
