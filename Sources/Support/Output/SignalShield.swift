import Glibc

/// Holds signals back while something is done that must not be left half done.
public enum SignalShield {
  /// Has signals wait until `body` is done. They wait in the calling thread, so what they are to spare has to be one that
  /// other threads of the process hold them back in as well, or the only one.
  ///
  /// - Parameter body: What is done: nothing that could wait for somebody.
  public static func hold<Value, Failure: Error>(
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    var all = sigset_t()
    var old = sigset_t()
    // Sound: each call reads or writes the sets that it is given.
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &old)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &old, nil) }
    return try body()
  }
}
