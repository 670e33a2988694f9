public import KVM
public import VMM

/// Records how interrupts get to the guest of one machine, from before its start on: made, and used, on the thread that
/// starts it.
public final class JourneyRecorder {
  private var log: TraceLog
  private let start: TraceClock.Reading
  private let deliversVirtually: Bool?

  /// Begins to record the threads that this thread starts from now on.
  ///
  /// - Parameters:
  ///   - paths: where tracefs is looked for.
  ///   - deliversVirtually: whether this host can deliver interrupts by virtual-interrupt delivery; nil where nothing
  ///     tells.
  /// - Throws: `TraceUnavailable` with the host's reason, also where the kernel's traces cannot have the TSC's times.
  public init(_ paths: TracePaths = TracePaths(), deliversVirtually: Bool?) throws(TraceUnavailable) {
    self.deliversVirtually = deliversVirtually
    let instance = try TraceInstance(paths)
    guard instance.countsCycles else {
      throw TraceUnavailable("this kernel's traces do not have the trace clock x86-tsc")
    }
    start = TraceClock.now()
    log = try TraceLog(beginning: instance, withResidency: true)
  }

  /// Takes what was recorded since the last call, before the kernel's buffers are full: now and then while the guest runs.
  public func drain() { log.drain() }

  /// Ends recording.
  ///
  /// - Parameters:
  ///   - machine: the machine, whose guest has ended.
  ///   - threads: the kernel's ids of its threads, by vCPU.
  ///   - taken: what its guest wrote down.
  /// - Returns: the interrupts' journeys, and how many events were lost.
  /// - Throws: `KVMError` where KVM does not tell a vCPU's TSC or statistics.
  public func finish(
    _ machine: Machine, threads: [Int32], taken: [InterruptTaken]
  ) throws(KVMError) -> (journeys: [InterruptJourney], lostEvents: UInt64) {
    log.end()
    let clock = TraceClock(start, TraceClock.now())
    let events = JourneyEvents(log.text.events, threads: threads, ids: machine.configuration.apicIDs)
    let guest = try GuestTSC(of: machine.vcpus[0])
    // A guest that was restored has others in its log, which it took before.
    let taken = taken.filter { Int64(bitPattern: guest.hostCycles(at: $0.tsc) &- start.cycles) >= 0 }
    // A counter says nothing of all interrupts where the guest had no room to write all down.
    let paths = machine.log.droppedRecords == 0 ? try paths(taken, by: machine.vcpus, threads) : [:]
    let residency = GuestResidency(
      log.text.events, threads: threads.map { [$0] },
      isComplete: log.instance.recordsResidency && log.text.lost == 0)
    let finder = JourneyFinder(events: events, clock: clock, guest: guest, paths: paths, residency: residency)
    return (finder.journeys(of: taken), log.text.lost)
  }

  /// How all interrupts of a vCPU got there, where its counter of injections, which began with it, tells.
  private func paths(
    _ taken: [InterruptTaken], by vcpus: [VCPU], _ threads: [Int32]
  ) throws(KVMError) -> [Int: DeliveryPath] {
    let reinjections = Reinjections(log.text, isRecorded: log.instance.events.contains("kvm_inj_virq"))
    var paths: [Int: DeliveryPath] = [:]
    for (index, vcpu) in vcpus.enumerated() {
      guard let injections = try vcpu.statistics()["irq_injections"] else { continue }
      paths[index] = DeliveryPath(
        injections: injections, reinjections: reinjections.count(on: threads.dropFirst(index).prefix(1)),
        taken: taken.count { $0.vcpu == index }, deliversVirtually: deliversVirtually)
    }
    return paths
  }
}
