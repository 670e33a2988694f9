import KVM

/// A machine whose vCPUs run, each on a thread of its own. Letting go of it ends them.
public struct RunningMachine: ~Copyable {
  private let machine: Machine
  private var threads: [VCPUThread] = []

  init(_ machine: Machine) throws(MachineError) {
    self.machine = machine
    machine.times.start()
    let gate = StartGate(waitingFor: machine.vcpus.count - 1)
    for index in machine.vcpus.indices { try startThread(index, gate) }
  }

  deinit { end() }

  private mutating func startThread(_ index: Int, _ gate: StartGate) throws(MachineError) {
    let vcpu = machine.vcpus[index]
    let runner = machine.runner(index)
    let thread = try VCPUThread(for: vcpu, name: "vcpu \(index)") { [stop = machine.stop] in
      gate.pass(index, stop)
      runner.run()
    }
    threads.append(thread)
    machine.inboxes[index].attach(thread)
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
    for inbox in machine.inboxes { inbox.ring() }
    // Nobody else wakes a thread that may have been joined.
    for inbox in machine.inboxes { inbox.attach(nil) }
    for thread in threads { thread.stopAndJoin() }
    machine.times.end()
  }
}
