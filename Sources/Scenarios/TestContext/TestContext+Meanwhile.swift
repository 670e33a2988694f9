import Glibc
import Synchronization

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
    var thread = pthread_t()
    // Sound: `self` is retained once here and released once, by the thread or, where none starts, below.
    let box = unsafe Unmanaged.passRetained(self)
    let answer = unsafe pthread_create(&thread, nil, { unsafe Loop.run($0) }, box.toOpaque())
    guard answer == 0 else {
      unsafe box.release()
      throw ScenarioFailure("a thread could not be started: errno \(answer)")
    }
    self.thread.withLock { $0 = thread }
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

  private static func run(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let pointer = unsafe pointer else { return nil }
    // Sound: `pointer` is the loop that `init` retained for this call alone.
    let loop = unsafe Unmanaged<Loop>.fromOpaque(pointer).takeRetainedValue()
    do {
      while !loop.isEnding.load(ordering: .acquiring) {
        try loop.again()
        loop.done.wrappingAdd(1, ordering: .acquiringAndReleasing)
      }
    } catch {
      loop.failure.withLock { $0 = error }
    }
    return nil
  }
}
