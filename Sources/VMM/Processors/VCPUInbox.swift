import KVM
import Synchronization

/// What other threads want done with a vCPU between two runs: KVM answers no question about a vCPU that is in the guest.
final class VCPUInbox: Sendable {
  private struct Work {
    let id: UInt64
    let body: @Sendable (VCPU) -> Void
  }

  /// Who does the work.
  private enum Server {
    /// The machine does not run: whoever asks.
    case nobody
    /// A thread that is about to start.
    case expected
    /// A thread that runs the vCPU.
    case thread(VCPUThread)
  }

  private struct State {
    var work: [Work] = []
    var lastID: UInt64 = 0
    var server = Server.nobody
    /// Whether the thread waits in `park`, where `wakeUp` reaches it and no signal is needed.
    var isParked = false
  }

  private let state = Mutex(State())
  private let hasWork = Atomic<Bool>(false)
  /// Signalled when work was done.
  private let done: EventDescriptor
  /// Signalled to end the wait in `park`.
  private let wakeUp: EventDescriptor

  /// How long a vCPU that was woken has to come out before it is woken again.
  private static let patience = Duration.milliseconds(2)

  init() throws(KVMError) {
    done = try EventDescriptor()
    wakeUp = try EventDescriptor()
  }

  /// Says that a thread is about to start. What is asked for from now on is done by it.
  func expectThread() { state.withLock { $0.server = .expected } }

  /// Starts the thread that runs the vCPU. It ends with `detach`, on its own.
  func attach(_ start: () throws(MachineError) -> VCPUThread) throws(MachineError) {
    // The lock is held, so that a thread that ends at once is not taken for one that runs.
    try state.withLock { state throws(MachineError) in state.server = .thread(try start()) }
  }

  /// Takes `expectThread` back, where no thread was started. Whoever waits for it does its work itself.
  func expectNoThread() {
    state.withLock { if case .expected = $0.server { $0.server = .nobody } }
    signalDone()
  }

  /// On the vCPU's thread, once it does not enter the guest any more: does what was asked for so far, and says that the
  /// thread does nothing from now on.
  func detach(_ vcpu: VCPU) {
    while true {
      serve(vcpu)
      let isOver = state.withLock { state in
        guard state.work.isEmpty else { return false }
        state.server = .nobody
        return true
      }
      if isOver { return }
    }
  }

  /// Whether a thread runs the vCPU, or is about to.
  var isAttached: Bool {
    state.withLock { if case .nobody = $0.server { false } else { true } }
  }

  /// Takes the vCPU out of the guest, where a thread runs it; or out of its wait in `park`.
  func wake() {
    state.withLock { state in
      if state.isParked { return endWait() }
      // A thread that is attached has not been joined.
      if case .thread(let thread) = state.server { thread.wake() }
    }
  }

  /// Has a thread that waits in `park` look again. The counter is far from full.
  func endWait() { try? wakeUp.write(1) }

  /// On the vCPU's thread, out of the guest: waits until `isOver`, and does what is asked for meanwhile.
  func park(_ vcpu: VCPU, until isOver: () -> Bool) {
    state.withLock { $0.isParked = true }
    while !isOver() {
      serve(vcpu)
      if wakeUp.wait(atMost: .milliseconds(100)) { _ = try? wakeUp.read() }
    }
    state.withLock { $0.isParked = false }
    serve(vcpu)
  }

  /// On the vCPU's thread, between two runs: does what was asked for.
  func serve(_ vcpu: VCPU) {
    guard hasWork.load(ordering: .acquiring) else { return }
    let work = state.withLock { state in
      defer { state.work = [] }
      hasWork.store(false, ordering: .releasing)
      return state.work
    }
    for item in work { item.body(vcpu) }
    signalDone()
  }

  /// Has `body` run once, while the vCPU is out of the guest, and waits for it: on the vCPU's thread, or on this one where
  /// no thread runs the vCPU.
  ///
  /// The thread may be in the guest however the machine stands: nothing takes it out when the machine is stopped but who
  /// lets go of it. So it is woken until it has done the work, which it does at the latest when it ends.
  func perform<Value: Sendable>(
    on vcpu: VCPU, _ body: @escaping @Sendable (VCPU) throws(KVMError) -> Value
  ) throws(KVMError) -> Value {
    let answer = Box<Value>()
    let posted: UInt64? = state.withLock { state in
      if case .nobody = state.server { return nil }
      state.lastID += 1
      state.work.append(
        Work(id: state.lastID) { vcpu in answer.fill { () throws(KVMError) in try body(vcpu) } })
      hasWork.store(true, ordering: .releasing)
      return state.lastID
    }
    guard let posted else { return try body(vcpu) }
    while true {
      if let result = answer.result { return try result.get() }
      if withdraw(posted) { return try body(vcpu) }
      wake()
      if done.wait(atMost: Self.patience) { _ = try done.read() }
    }
  }

  /// Has `body` run once, while the vCPU is out of the guest, and does not wait for it: on the vCPU's thread, or on this one
  /// where no thread runs the vCPU.
  func post(on vcpu: VCPU, _ body: @escaping @Sendable (VCPU) -> Void) {
    let isPosted = state.withLock { state in
      if case .nobody = state.server { return false }
      state.lastID += 1
      state.work.append(Work(id: state.lastID, body: body))
      hasWork.store(true, ordering: .releasing)
      return true
    }
    // Once is enough: what asks the vCPU out stays until its thread has come to look for work.
    if isPosted { wake() } else { body(vcpu) }
  }

  /// Takes back what nobody will do, because the thread that was expected did not start. Says whether it was there.
  private func withdraw(_ id: UInt64) -> Bool {
    state.withLock { state in
      guard case .nobody = state.server, let index = state.work.firstIndex(where: { $0.id == id }) else { return false }
      state.work.remove(at: index)
      return true
    }
  }

  /// The counter is far from full, and whoever waits looks again anyway.
  private func signalDone() { try? done.write(1) }

  /// A place for an answer.
  private final class Box<Value: Sendable>: Sendable {
    private let value = Mutex<Result<Value, KVMError>?>(nil)

    var result: Result<Value, KVMError>? { value.withLock { $0 } }

    func fill(_ body: () throws(KVMError) -> Value) {
      let result: Result<Value, KVMError>
      do throws(KVMError) {
        result = .success(try body())
      } catch {
        result = .failure(error)
      }
      value.withLock { $0 = result }
    }
  }
}
