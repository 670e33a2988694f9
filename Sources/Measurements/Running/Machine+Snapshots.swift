import APIC
import GuestContract
import KVM
import MachineState
import VMM

extension Machine {
  /// How often is looked whether the guest has begun its next turn.
  private static let period = Duration.milliseconds(1)

  /// Runs the guest `bench` to its end with a snapshot in each of its turns: the host's part of LAPWING_BENCH_SNAPSHOT.
  ///
  /// - Parameters:
  ///   - limit: how long, at the most; a snapshot that has begun is finished first.
  ///   - look: is given each snapshot before it is dropped, and before the turn ends.
  /// - Returns: how the guest ended.
  /// - Throws: `MachineError` for a thread that cannot be started, and for what KVM refuses; the guest is ended then.
  func runWithSnapshots(
    limit: Duration, look: (Snapshot) -> Void = { _ in }
  ) throws(MachineError) -> Outcome {
    let deadline = ContinuousClock.now + limit
    let running = try start()
    var turn: UInt32 = 0
    while stop.reason == nil {
      let left = deadline - .now
      guard left > .zero else {
        stop.stop(.timeLimit)
        break
      }
      let reached = progress.mark
      guard reached != turn else {
        stop.wait(atMost: min(left, Self.period))
        continue
      }
      turn = reached
      look(try snapshot())
      try endTurn()
    }
    return running.finish()
  }

  private func endTurn() throws(MachineError) {
    let vector = Vector(rawValue: UInt8(LAPWING_BENCH_VECTOR))
    do throws(KVMError) {
      try interrupts.signal(MSIMessage(vector: vector, destination: .physical(configuration.apicIDs[0])))
    } catch {
      throw .kvm(error)
    }
  }
}
