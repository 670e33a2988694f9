import KVM
import Synchronization

/// A machine whose vCPUs run, each on a thread of its own. Letting go of it ends them.
public struct RunningMachine: ~Copyable {
  private let machine: Machine
  private var threads: [VCPUThread] = []

  init(_ machine: Machine) throws(MachineError) {
    self.machine = machine
    machine.times.start()
    // First of all, so that a pause from now on waits for every one of them.
    for inbox in machine.inboxes { inbox.expectThread() }
    if let started = machine.times.started { machine.moments.start(started) }
    try machine.virtio.start()
    let gate = StartGate(waitingFor: machine.vcpus.count - 1)
    // If this throws, `deinit` ends those that run: all properties are there.
    for index in machine.vcpus.indices { try startThread(index, gate) }
  }

  deinit { end() }

  private mutating func startThread(_ index: Int, _ gate: StartGate) throws(MachineError) {
    let vcpu = machine.vcpus[index]
    let runner = machine.runner(index)
    var started: VCPUThread?
    try machine.inboxes[index].attach { () throws(MachineError) in
      let thread = try VCPUThread(for: vcpu, name: "vcpu \(index)") { [stop = machine.stop, inbox = runner.inbox] in
        gate.pass(index, stop)
        runner.run()
        inbox.detach(vcpu)
      }
      started = thread
      return thread
    }
    if let started { threads.append(started) }
  }

  /// The kernel's ids of the threads, by vCPU: what tracing and scheduling calls take.
  public var threadIDs: [Int32] { threads.map(\.id) }

  /// Takes all vCPUs out of the guest for good and says how it ended. Their state can be read from then on.
  public consuming func finish() -> Outcome {
    let machine = machine
    // Letting go of it ends it: once, since a thread that was joined must not be woken.
    _ = consume self
    return machine.stop.reason ?? .stopped
  }

  private func end() {
    machine.stop.stop(.stopped)
    machine.console.close()
    // All are told first, so that they leave at the same time.
    for thread in threads { thread.wake() }
    for inbox in machine.inboxes {
      inbox.endWait()
      inbox.expectNoThread()
    }
    // Each has detached itself by then, so that nobody wakes one that was joined.
    for thread in threads { thread.stopAndJoin() }
    // Their drivers have gone; what they carry out now still comes to its end.
    machine.virtio.end()
    machine.times.end()
  }
}

/// The moments of a run that a person asks for.
public final class RunTimes: Sendable {
  private let moments = Mutex<(started: ContinuousClock.Instant?, ended: ContinuousClock.Instant?)>((nil, nil))

  /// When the vCPUs were first let into the guest; nil before.
  public var started: ContinuousClock.Instant? { moments.withLock { $0.started } }
  /// When all of them had left for good; nil before.
  public var ended: ContinuousClock.Instant? { moments.withLock { $0.ended } }

  func start() { moments.withLock { $0.started = .now } }
  func end() { moments.withLock { $0.ended = .now } }
}
