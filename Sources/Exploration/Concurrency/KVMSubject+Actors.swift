public import KVM
import Support
import Synchronization
import SystemPackage

extension KVMSubject {
  /// Has actors do something at the same time, each on a thread of its own.
  public func perform(concurrently actors: [[Step]]) throws(KVMError) -> [[ActorStep]] {
    let start = ActorStart(actors.count)
    let records = actors.map { _ in ActorRecord() }
    let clock = clock
    do throws(Errno) {
      try HostThread.atOnce(actors.count) { number in
        start.await()
        for step in actors[number] {
          let begin = clock()
          do throws(KVMError) {
            let answer = try self.perform(step)
            records[number].note(ActorStep(answer: answer, begin: begin, end: clock()))
          } catch {
            return records[number].fail(error)
          }
        }
      }
    } catch {
      throw KVMError(call: .run, errno: error, detail: "a thread for an actor")
    }
    var done: [[ActorStep]] = []
    for record in records { done.append(try record.result().get()) }
    return done
  }
}

/// What one actor has been answered so far.
private final class ActorRecord: Sendable {
  private let state = Mutex<(steps: [ActorStep], error: KVMError?)>(([], nil))

  func note(_ step: ActorStep) { state.withLock { $0.steps.append(step) } }

  func fail(_ error: KVMError) { state.withLock { $0.error = error } }

  func result() -> Result<[ActorStep], KVMError> {
    state.withLock { state in state.error.map { .failure($0) } ?? .success(state.steps) }
  }
}

/// Lets actors begin together, as far as the host runs their threads together.
private final class ActorStart: Sendable {
  private let missing: Atomic<Int>

  init(_ count: Int) { missing = Atomic(count) }

  /// Returns when all have come, or when it has waited long enough for a host that has other work.
  func await() {
    missing.subtract(1, ordering: .acquiringAndReleasing)
    var rounds = 0
    while missing.load(ordering: .acquiring) > 0, rounds < Self.patience { rounds += 1 }
  }

  /// Some tens of microseconds.
  private static let patience = 100_000
}
