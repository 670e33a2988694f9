import Glibc
import Synchronization
public import SystemPackage

/// Takes threads out of system calls that would wait, such as KVM_RUN of a vCPU that halts, by signals.
///
/// One that comes too early interrupts nothing, or has a call end that is then made again: so what comes of a thread's work is not to
/// hang on when they come.
public enum CallInterruption {
  /// One that is ignored by default, and no real-time signal, of which only so many may be pending.
  private static let signal = SIGURG
  /// Between two signals, in nanoseconds: at first, and at the most. On a slow host a call is to get to where it waits.
  private static let waits = (first: UInt64(50_000), longest: UInt64(20_000_000))

  /// Threads that are to be taken out, and what wakes the thread that does it.
  private struct Table {
    var threads: Set<pthread_t> = []
    var wakeup: Wakeup?
  }

  private static let table = Mutex(Table())

  /// From now on this thread's system calls end with EINTR, again and again, until `end`.
  ///
  /// - Throws: `Errno` where the host has no thread or descriptor for it.
  public static func begin() throws(Errno) {
    // A thread of a pool may have blocked it.
    change(SIG_UNBLOCK)
    let wakeup = try table.withLock { (table) throws(Errno) in
      table.threads.insert(pthread_self())
      if let wakeup = table.wakeup { return wakeup }
      let wakeup = try start()
      table.wakeup = wakeup
      return wakeup
    }
    wakeup.signal()
  }

  /// Ends it: once this has returned no signal comes any more.
  public static func end() { table.withLock { _ = $0.threads.remove(pthread_self()) } }

  /// Does something with a signal pending that is blocked, and that a call may let in (KVM_SET_SIGNAL_MASK): such a call does what it
  /// can do at once, and does not wait.
  public static func withSignalPending<Value, Failure: Error>(
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    install()
    let old = change(SIG_BLOCK)
    defer { if !old { change(SIG_UNBLOCK) } }
    pthread_kill(pthread_self(), signal)
    defer {
      var set = signalSet
      var none = timespec()
      // Sound: the wait has no time limit but zero, and takes the one signal that was sent, if it is still there.
      unsafe sigtimedwait(&set, nil, &none)
    }
    return try body()
  }

  private static var signalSet: sigset_t {
    var set = sigset_t()
    // Sound: the calls write the one set.
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, signal)
    return set
  }

  /// Blocks or unblocks the signal for this thread.
  ///
  /// - Returns: Whether it was blocked.
  @discardableResult
  private static func change(_ how: Int32) -> Bool {
    var set = signalSet
    var old = sigset_t()
    // Sound: the calls read and write the two sets, which live to the end of this function.
    unsafe pthread_sigmask(how, &set, &old)
    return unsafe sigismember(&old, signal) == 1
  }

  private static func start() throws(Errno) -> Wakeup {
    install()
    let wakeup = try Wakeup()
    try HostThread.startDetached { work(wakeup) }
    return wakeup
  }

  private static let isInstalled: Bool = {
    var action = sigaction()
    // Without SA_RESTART, so that the system call ends.
    unsafe action.__sigaction_handler.sa_handler = { _ in }
    return unsafe sigaction(signal, &action, nil) == 0
  }()

  private static func install() { _ = isInstalled }

  private static func work(_ wakeup: Wakeup) {
    while true {
      wakeup.wait()
      var wait = waits.first
      repeat {
        var time = timespec(tv_sec: 0, tv_nsec: Int(wait))
        // Sound: the call reads the one time.
        unsafe nanosleep(&time, nil)
        wait = min(wait * 2, waits.longest)
      } while interruptAll()
    }
  }

  /// Sends a signal to each thread. They are there: each is in the table only while it does something else.
  ///
  /// - Returns: Whether there was one.
  private static func interruptAll() -> Bool {
    table.withLock { table in
      for thread in table.threads { pthread_kill(thread, signal) }
      return !table.threads.isEmpty
    }
  }
}
