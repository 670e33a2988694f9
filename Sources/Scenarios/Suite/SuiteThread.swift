import Glibc
public import VMM

/// A thread of the suite. Nobody waits for its end: it may be stuck in a call that never returns.
public enum SuiteThread {
  /// Starts a thread that runs `body`.
  ///
  /// - Throws: `MachineError.thread` where the host has no thread left.
  public static func start(_ body: @escaping @Sendable () -> Void) throws(MachineError) {
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
      throw .thread(errno: answer)
    }
    pthread_detach(thread)
  }

  private final class Body: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
