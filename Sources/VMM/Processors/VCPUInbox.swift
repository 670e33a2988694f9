import KVM
import Synchronization

/// What other threads want done with a vCPU between two runs: KVM answers no question about a vCPU that is in the guest.
final class VCPUInbox: Sendable {
  private typealias Work = @Sendable (VCPU) -> Void

  private struct State {
    var work: [Work] = []
    var thread: VCPUThread?
    /// Whether the thread waits at the gate, where it hears the bell.
    var isParked = false
  }

  private let state = Mutex(State())
  private let hasWork = Atomic<Bool>(false)
  private let done: EventDescriptor
  private let bell: EventDescriptor

  /// How long a vCPU that was woken has to come out before it is woken again.
  private static let patience = Duration.milliseconds(2)

  init() throws(KVMError) {
    done = try EventDescriptor()
    bell = try EventDescriptor()
  }

  /// Says which thread to wake; nil once it has ended.
  func attach(_ thread: VCPUThread?) { state.withLock { $0.thread = thread } }

  /// Takes the vCPU out of the guest, where a thread runs it; or out of its wait at the gate.
  func wake() { state.withLock { $0.isParked ? ring() : $0.thread?.wake() } }

  /// Whether a thread runs the vCPU.
  var isAttached: Bool { state.withLock { $0.thread != nil } }

  /// Wakes a thread that waits at the gate. The counter is far from full.
  func ring() { try? bell.write(1) }

  /// On the vCPU's thread, out of the guest: waits until `isOver`, and does what is asked for meanwhile.
  func park(_ vcpu: VCPU, until isOver: () -> Bool) {
    state.withLock { $0.isParked = true }
    while !isOver() {
      serve(vcpu)
      if bell.wait(atMost: .milliseconds(100)) { _ = try? bell.read() }
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
    for item in work { item(vcpu) }
    // The counter is far from full, and whoever waits looks again anyway.
    try? done.write(1)
  }

  /// Has `body` run on the vCPU's thread while the vCPU is out of the guest, and waits for it. Where no thread runs the
  /// vCPU it runs here.
  func perform<Value: Sendable>(
    on vcpu: VCPU, stop: StopSwitch, _ body: @escaping @Sendable (VCPU) throws(KVMError) -> Value
  ) throws(KVMError) -> Value {
    let answer = Box<Value>()
    let isPosted = state.withLock { state in
      guard state.thread != nil else { return false }
      state.work.append { vcpu in answer.fill { () throws(KVMError) in try body(vcpu) } }
      hasWork.store(true, ordering: .releasing)
      return true
    }
    guard isPosted else { return try body(vcpu) }
    while true {
      if let result = answer.result { return try result.get() }
      // A machine that has ended serves nobody any more, and its vCPUs are out of the guest.
      guard !stop.isStopped, isAttached else { return try body(vcpu) }
      wake()
      if done.wait(atMost: Self.patience) { _ = try done.read() }
    }
  }

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
