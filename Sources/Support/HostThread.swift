public import Glibc
public import SystemPackage

/// Starts threads (pthreads(7)).
public enum HostThread {
  /// Starts a thread that runs `body` and ends with it.
  ///
  /// - Parameter body: What the thread does.
  /// - Returns: The thread, which has to be joined or detached once.
  /// - Throws: The error of pthread_create(3): `EAGAIN` where the host has no thread left.
  public static func start(_ body: @escaping @Sendable () -> Void) throws(Errno) -> pthread_t {
    var thread = pthread_t()
    // Sound: the box is retained once here and released once, by the thread or, where none starts, below.
    let box = unsafe Unmanaged.passRetained(Body(run: body))
    let answer = unsafe pthread_create(
      &thread, nil,
      { pointer in
        if let pointer = unsafe pointer { unsafe Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run() }
        return nil
      }, box.toOpaque())
    guard answer == 0 else {
      unsafe box.release()
      throw Errno(rawValue: answer)
    }
    return thread
  }

  /// Starts a thread whose end nobody waits for: it may be stuck in a call that never returns.
  ///
  /// - Parameter body: What the thread does.
  /// - Throws: As `start` does.
  public static func startDetached(_ body: @escaping @Sendable () -> Void) throws(Errno) {
    pthread_detach(try start(body))
  }

  /// Runs something several times at the same time, once on this thread and else on threads of their own, and waits for all.
  ///
  /// - Parameters:
  ///   - count: How often.
  ///   - body: What is run, with its number from 0 on.
  /// - Throws: The error of pthread_create(3); whatever was started has ended then.
  public static func atOnce(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws(Errno) {
    var threads: [pthread_t] = []
    defer { for thread in threads { pthread_join(thread, nil) } }
    for number in 1..<max(1, count) { threads.append(try start { body(number) }) }
    if count > 0 { body(0) }
  }

  private final class Body: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
