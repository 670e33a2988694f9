import Glibc
import Support
import Synchronization
import SystemPackage

extension TestContext {
  /// Does something again and again, on a thread of its own, while the scenario goes on.
  ///
  /// - Parameters:
  ///   - again: what to do; the thread ends with the first error.
  ///   - body: what happens meanwhile; it is given how often `again` is done by now.
  /// - Returns: how often `again` was done in all.
  /// - Throws: what `scenario` or else `again` throws, after the thread has ended.
  @discardableResult public func meanwhile(
    _ again: @escaping @Sendable () throws -> Void, _ body: (_ rounds: () -> Int) throws -> Void
  ) throws -> Int {
    let loop = try Loop(again)
    do {
      try body { loop.rounds }
    } catch {
      _ = loop.end()
      throw error
    }
    if let error = loop.end() { throw error }
    return loop.rounds
  }
}

/// A thread that does something again and again until it is ended, which it must be, once.
private final class Loop: Sendable {
  private let again: @Sendable () throws -> Void
  private let isEnding = Atomic<Bool>(false)
  private let done = Atomic<Int>(0)
  private let failure = Mutex<(any Error)?>(nil)
  private let thread = Mutex<pthread_t?>(nil)

  init(_ again: @escaping @Sendable () throws -> Void) throws {
    self.again = again
    do throws(Errno) {
      let thread = try HostThread.start { [self] in run() }
      self.thread.withLock { $0 = thread }
    } catch {
      throw ScenarioFailure("a thread could not be started: \(error)")
    }
  }

  var rounds: Int { done.load(ordering: .acquiring) }

  /// Ends the thread, waits for it and gives the error that it ended with before.
  func end() -> (any Error)? {
    isEnding.store(true, ordering: .releasing)
    let thread = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    // The thread's result is not wanted.
    if let thread { pthread_join(thread, nil) }
    return failure.withLock { $0 }
  }

  private func run() {
    do {
      while !isEnding.load(ordering: .acquiring) {
        try again()
        done.wrappingAdd(1, ordering: .acquiringAndReleasing)
      }
    } catch {
      failure.withLock { $0 = error }
    }
  }
}
