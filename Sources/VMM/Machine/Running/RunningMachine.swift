import APIC
import Glibc
import GuestContract
public import KVM
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

extension Machine {
  /// Runs the guest to its end: on a thread a vCPU, until the guest ends itself, KVM cannot go on, the limit passes, or
  /// somebody uses `stop`.
  ///
  /// When it returns no vCPU runs any more, so its state can be read at leisure.
  ///
  /// - Parameters:
  ///   - limit: how long, at the most, without the time that a debugger holds it.
  ///   - period: how often `tick` is called meanwhile.
  ///   - tick: called on this thread while the guest runs, and once after its end; `log.next()` then has what is new.
  ///   - threads: called before each `tick` with the kernel's ids of the vCPUs' threads, by index; 0 for one that has not got
  ///     to run yet.
  ///   - ended: called when the guest has ended, with the kernel's ids of the vCPUs' threads, by index; 0 for one that did
  ///     not get to run.
  /// - Returns: how it ended.
  /// - Throws: `MachineError.thread` where a thread cannot be started; none is left running then.
  public func run(
    limit: Duration, every period: Duration = .milliseconds(50), tick: () -> Void = {},
    threads: ([Int32]) -> Void = { _ in }, ended: ([Int32]) -> Void = { _ in }
  ) throws(MachineError) -> Outcome {
    let deadline = ContinuousClock.now + limit
    let running = try start()
    while !stop.isStopped {
      let left = deadline + debug.heldTime - .now
      if left <= .zero {
        stop.stop(.timeLimit)
      } else if !stop.wait(atMost: min(left, period)) {
        threads(running.threadIDs)
        tick()
      }
    }
    threads(running.threadIDs)
    ended(running.threadIDs)
    let outcome = running.finish()
    tick()
    return outcome
  }

  /// Lets the vCPUs into the guest. A machine is started once.
  ///
  /// - Parameter moment: an exit or a mark from which on the guest is to stand still, until `pause(at:within:)` was called
  ///   for it, and `resume`.
  /// - Throws: `MachineError.thread` where a thread cannot be started; none is left running then.
  public func start(pausingAt moment: GuestMoment? = nil) throws(MachineError) -> RunningMachine {
    switch moment {
    // A time is for who waits for it to watch.
    case nil, .time?: break
    case let moment?: pauseToCome.withLock { $0 = expectPause(at: moment) }
    }
    return try RunningMachine(self)
  }

  /// Ends the machine from any thread: its vCPUs leave the guest for good. Whoever started it still has to let go of it.
  ///
  /// - Parameter reason: how the guest ended, unless it has ended already.
  public func end(_ reason: Outcome) {
    stop.stop(reason)
    for inbox in inboxes { inbox.wake() }
  }

  /// Has something done once with a vCPU while it is out of the guest, where it is taken out for it and then goes on: the
  /// way to the state of one that runs. Not from the vCPU's own thread, which would wait for itself.
  ///
  /// - Parameters:
  ///   - index: the vCPU's.
  ///   - body: runs on the vCPU's thread, or on this one where the machine does not run.
  /// - Returns: what `body` returns.
  /// - Throws: what `body` throws.
  public func withVCPUStopped<Value: Sendable>(
    _ index: Int, _ body: @escaping @Sendable (VCPU) throws(KVMError) -> Value
  ) throws(KVMError) -> Value {
    try inboxes[index].perform(on: vcpus[index], body)
  }

  /// The state of every vCPU. Only after `run` has returned: before, it would wait for the vCPU to leave the guest.
  ///
  /// - Throws: `KVMError`; in practice never.
  public func reports() throws(KVMError) -> [VCPUReport] {
    var reports: [VCPUReport] = []
    for (index, vcpu) in vcpus.enumerated() {
      var report = try VCPUReport(of: vcpu, index: index)
      // Without 32-bit ids KVM gives the id where xAPIC has it, in either mode (kvm_apic_state_fixup).
      if !configuration.needs32BitIDs, report.specialRegisters.apicBase.mode == .x2APIC {
        report.localAPIC.setID(report.localAPIC.id(mode: .xAPIC), mode: .x2APIC)
      }
      reports.append(report)
    }
    return reports
  }

  /// When the bootstrap processor ran its first instruction, as the guest itself wrote it down; nil for a guest that
  /// does not.
  public var firstInstruction: ContinuousClock.Instant? {
    guard memory.hasBootPage(at: layout.bootPage) else { return nil }
    let address = layout.bootPage + UInt64(LAPWING_BOOT_FIRST_TSC)
    guard let tsc = try? memory.load(UInt64.self, at: address), tsc > 0 else { return nil }
    return clock.instant(tsc)
  }
}

extension Machine {
  /// What touched ports and memory that no device claims, by bus.
  public var unclaimedAccesses: [(bus: String, accesses: UnclaimedAccesses)] {
    [ports, addresses].map { ($0.name, $0.unclaimedAccesses) }
  }

  /// How the drivers of virtio devices have broken their queues, for a person: a line for each device that then wanted a reset.
  public var brokenQueues: [String] { virtio.functions.compactMap(\.complaint) }
}
