import APIC
import Glibc
import Support
import Synchronization
import SystemPackage
import VMM

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

/// Interrupts under which something else happens.
extension TestContext {
  /// The vectors of the load.
  static let loadVectors = (0xa0..<0xb0).map { Vector(rawValue: UInt8($0)) }

  /// Sends a vCPU sixteen MSIs a round, each through a vector of its own, and expects that it takes each exactly once
  /// more.
  ///
  /// - Parameters:
  ///   - vcpu: the vCPU's index; its interrupts are let in.
  ///   - rounds: how many.
  ///   - body: called with the round's number, from 0, when half of its interrupts are sent.
  func load(_ vcpu: Int, rounds: Int, _ body: (Int) throws -> Void = { _ in }) throws {
    let vectors = Self.loadVectors
    let before = vectors.map { taken($0, on: vcpu) }
    for round in 0..<rounds {
      for (index, vector) in vectors.enumerated() {
        if index == vectors.count / 2 { try body(round) }
        try signal(MSIMessage(vector: vector, destination: self[vcpu: vcpu].destination))
      }
      for (vector, count) in zip(vectors, before) {
        try expectAtLeast(count + round + 1, of: vector, on: vcpu)
      }
    }
    try fence(vcpu)
    for (vector, count) in zip(vectors, before) {
      try check("interrupts through \(vector)", taken(vector, on: vcpu), equals: count + rounds)
    }
  }
}
