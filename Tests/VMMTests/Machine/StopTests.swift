import Glibc
import KVM
import Synchronization
import TestImages
import Testing

@testable import VMM

/// What becomes of a pause, and of work with a vCPU, while a machine starts or stops. Each test has the moment that it is
/// about last for as long as it wants.
@Suite(.needsKVM, .timeLimit(.minutes(2))) struct StopTests {
  /// Prints a dot, then stays in the guest for good.
  private static let spinning = Code(.long).print(".").spin()

  private static func machine(_ code: Code = spinning, vcpus: Int = 1) throws -> Machine {
    try Machine.testing(GuestImage(name: "test", bytes: ELFImage(code: code.bytes).bytes)) {
      $0.vcpus = vcpus
      $0.start = .direct
    }
  }

  private static func waitFor(_ condition: () throws -> Bool) rethrows {
    let deadline = ContinuousClock.now + .seconds(30)
    while try !condition(), .now < deadline { usleep(200) }
  }

  @Test func `work with a vCPU is done though the machine was stopped while the vCPU is in the guest`() throws {
    let machine = try Self.machine()
    let running = try machine.start()
    Self.waitFor { machine.console.text == "." }
    // Nobody takes the vCPU out of the guest for that.
    machine.stop.stop(.stopped)
    let answer = Background { try machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.mpState() } }
    Self.waitFor { answer.isDone }
    #expect(answer.isDone)
    _ = running.finish()
    #expect(try answer.value() == .runnable)
  }

  @Test func `a pause of a machine that was stopped waits until no vCPU is in the guest`() throws {
    let machine = try Self.machine(vcpus: 2)
    let running = try machine.start()
    Self.waitFor { machine.console.text == ".." }
    machine.stop.stop(.stopped)
    try machine.pause()
    // KVM answers nothing about a vCPU that is in the guest: this would wait for good.
    for vcpu in machine.vcpus { #expect(try vcpu.mpState() == .runnable) }
    _ = running.finish()
  }

  @Test func `work that is being done while the machine stops is done once`() throws {
    let machine = try Self.machine()
    let running = try machine.start()
    let count = Counter()
    let answer = Background {
      try machine.withVCPUStopped(0) { _ throws(KVMError) in
        if count.add() == 1 {
          machine.stop.stop(.stopped)
          // Time enough for somebody else to do it again, if anybody would.
          for _ in 0..<300 where count.value == 1 { usleep(1000) }
        }
        return true
      }
    }
    Self.waitFor { answer.isDone }
    _ = running.finish()
    #expect(try answer.value())
    #expect(count.value == 1)
  }

  @Test func `a vCPU that starts into a pause does not enter the guest before its end`() throws {
    let machine = try Self.machine(vcpus: 2)
    try machine.pause()
    let running = try machine.start()
    // The second waits for what the first did not: the threads.
    try machine.pause()
    #expect(machine.console.text.isEmpty)
    #expect(machine.resume() == nil)
    #expect(machine.resume() != nil)
    Self.waitFor { machine.console.text == ".." }
    #expect(machine.console.text == "..")
    _ = running.finish()
  }

  @Test func `a pause waits for a vCPU whose thread is about to start`() throws {
    let machine = try Self.machine()
    machine.inboxes[0].expectThread()
    #expect(throws: MachineError.self) { try machine.pause(within: .milliseconds(20)) }
    machine.inboxes[0].expectNoThread()
    try machine.pause()
    machine.resume()
  }

  @Test func `work for a vCPU whose thread does not start after all is done once, by who asked for it`() throws {
    let machine = try Self.machine()
    machine.inboxes[0].expectThread()
    let count = Counter()
    let answer = Background {
      try machine.withVCPUStopped(0) { _ throws(KVMError) in
        _ = count.add()
        return pthread_self()
      }
    }
    Self.waitFor { answer.isStarted }
    machine.inboxes[0].expectNoThread()
    Self.waitFor { answer.isDone }
    #expect(try answer.value() == answer.thread)
    #expect(count.value == 1)
    // It is not waiting for a thread that comes later.
    let running = try machine.start()
    Self.waitFor { machine.console.text == "." }
    _ = running.finish()
    #expect(count.value == 1)
  }

  @Test func `work for a vCPU whose thread is about to start is done before the vCPU enters the guest`() throws {
    let machine = try Self.machine()
    machine.inboxes[0].expectThread()
    let answer = Background { try machine.withVCPUStopped(0) { _ throws(KVMError) in machine.console.text } }
    Self.waitFor { answer.isStarted }
    // It most likely waits by then. What it answers is the same where it does not.
    usleep(2000)
    let running = try machine.start()
    Self.waitFor { answer.isDone }
    #expect(try answer.value() == "")
    _ = running.finish()
  }

  @Test func `somebody else's pause is not the moment that is waited for`() throws {
    let machine = try Self.machine(Code(.long).print("x").forever())
    let running = try machine.start(pausingAt: .exit(200))
    try machine.pause()
    let answer = Background { try machine.pause(at: .exit(200), within: .seconds(30)) }
    Self.waitFor { answer.isStarted }
    // It most likely waits by then. What it answers is the same where it does not.
    usleep(2000)
    machine.resume()
    Self.waitFor { answer.isDone }
    #expect(try answer.value())
    #expect(machine.console.text.utf8.count == 200)
    machine.resume()
    _ = running.finish()
  }
}

/// Counts, from any thread.
private final class Counter: Sendable {
  private let count = Atomic<Int>(0)
  var value: Int { count.load(ordering: .acquiring) }
  func add() -> Int { count.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue }
}

/// Something that is done on a thread of its own.
private final class Background<Value: Sendable>: Sendable {
  private struct State {
    var thread: pthread_t?
    var result: Result<Value, any Error>?
  }
  private let state = Mutex(State())

  init(_ body: @escaping @Sendable () throws -> Value) {
    _ = BackgroundThread.start(name: "test") { [self] in
      state.withLock { $0.thread = pthread_self() }
      let result = Result { try body() }
      state.withLock { $0.result = result }
    }
  }

  var thread: pthread_t? { state.withLock { $0.thread } }
  var isStarted: Bool { thread != nil }
  var isDone: Bool { state.withLock { $0.result != nil } }
  func value() throws -> Value {
    try #require(state.withLock { $0.result }, "it is not done").get()
  }
}
