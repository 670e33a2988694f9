import APIC
import SystemPackage
import Testing

@testable import Evidence
@testable import Watch

/// What is counted of events that were made up: on vCPU 0 (thread 100) and 7 (thread 101) of a machine. The host's TSC counts
/// nanoseconds from 0 on.
@Suite struct MachineWatchTests {
  private static let own = ForeignMachine.madeUp(10, vcpus: [0: 100, 7: 101])

  private static func watch(
    among others: [ForeignMachine] = [], recordsAllThreads: Bool = false, machine: ForeignMachine = own,
    processes: HostProcesses = HostProcesses(root: "/nonexistent")
  ) -> MachineWatch {
    let now = ContinuousClock.now
    let clock = TraceClock(
      TraceClock.Reading(value: now, cycles: 0, width: 0),
      TraceClock.Reading(value: now + .milliseconds(1), cycles: 1_000_000, width: 0))
    return MachineWatch(
      machine, among: [machine] + others, recordsAllThreads: recordsAllThreads, recordsResidency: true, clock: clock,
      start: 0, processes: processes)
  }

  private static func interval(_ events: [TraceEvent], _ watch: MachineWatch = watch()) -> WatchInterval {
    var watch = watch
    for event in events { watch.take(event) }
    return watch.takeInterval(1_000_000_000, isLast: true)
  }

  private func event(_ time: UInt64, on thread: Int32, _ detail: TraceEvent.Detail) -> TraceEvent {
    TraceEvent(time: time, thread: thread, detail: detail)
  }

  private func accepted(_ vector: Vector, by id: UInt32) -> TraceEvent.Detail {
    .accepted(vcpuID: id, vector: vector, mode: .fixed)
  }

  /// An IPI from vCPU 0 to 7 that software injects 20 µs after, and ends.
  private func injectedIPI(at time: UInt64) -> [TraceEvent] {
    [
      event(time, on: 100, .ipi(vector: 0x50)), event(time + 100, on: 100, accepted(0x50, by: 7)),
      event(time + 20_100, on: 101, .injected(vector: 0x50, isReinjected: false)),
      event(time + 30_000, on: 101, .endOfInterrupt(vcpuID: 7, vector: 0x50)),
    ]
  }

  @Test func `interrupts are counted by vCPU and vector, with their source, their way and their latency`() throws {
    let interval = Self.interval((1...100).flatMap { injectedIPI(at: $0 * 100_000) })
    let row = try #require(interval.interrupts.first)
    #expect(interval.interrupts.count == 1)
    #expect(row.vcpu == 7 && row.vector == 0x50)
    #expect(row.accepted == 100 && row.injected == 100 && row.ended == 100 && row.coalesced == 0 && row.posted == 0)
    #expect(row.sources == [InterruptCount.Source(source: .ipi(vcpu: 0), count: 100)])
    #expect(row.ways == InterruptCount.Ways(software: 100))
    let latency = try #require(row.injection)
    #expect(latency.count == 100)
    #expect(abs(Int64(latency.median) - 20_000) < 400 && abs(Int64(latency.longest) - 20_000) < 400)
    #expect(interval.length == 1_000_000_000 && interval.accepted == 100)
  }

  @Test func `what the hardware takes and delivers at entry or into the running guest is told apart`() throws {
    func post(_ time: UInt64) -> [TraceEvent] {
      [
        event(time, on: 55, .message(vector: 0x60)), event(time + 10, on: 55, accepted(0x60, by: 0)),
        event(time + 20, on: 55, .acceptedByHardware(vcpuID: 0, vector: 0x60, mode: .fixed)),
      ]
    }
    let halt = TraceEvent.Detail.exited(reason: ExitReason(number: 12, architecture: 1))
    var events = [event(1000, on: 100, .entered(vcpuID: 0))] + post(2000) + [event(9000, on: 100, halt)]
    events += post(12_000) + [event(15_000, on: 100, .entered(vcpuID: 0)), event(19_000, on: 100, halt)]
    let interval = Self.interval(events)
    let row = try #require(interval.interrupts.first)
    #expect(row.posted == 2 && row.ways == InterruptCount.Ways(virtualDelivery: 1, posted: 1))
    #expect(row.sources == [InterruptCount.Source(source: .message, count: 2)])
    #expect(interval.exits == [WatchInterval.Exit(reason: ExitReason(number: 12, architecture: 1), count: 2)])
  }

  @Test func `without an entry or exit nothing is said of exits`() {
    #expect(Self.interval(injectedIPI(at: 1000)).exits == nil)
  }

  @Test func `an interval begins anew, and what is under way goes on`() {
    var watch = Self.watch()
    let events = injectedIPI(at: 1000)
    for event in events.prefix(2) { watch.take(event) }
    let first = watch.takeInterval(500_000_000, isLast: false)
    for event in events.dropFirst(2) { watch.take(event) }
    let second = watch.takeInterval(1_500_000_000, isLast: false)
    #expect(first.interrupts.map(\.accepted) == [1] && first.interrupts.map(\.injected) == [0])
    #expect(second.interrupts.map(\.accepted) == [0] && second.interrupts.map(\.injected) == [1])
    #expect(second.interrupts.map(\.ways.software) == [1])
    #expect(first.length == 500_000_000 && second.length == 1_000_000_000)
    #expect(first.end == 500_000_000 && second.end == 1_500_000_000)
    #expect(watch.takeInterval(2_000_000_000, isLast: true).interrupts.isEmpty)
  }

  @Test func `wake-ups are counted by whether KVM had to sleep, and as latencies of what woke`() throws {
    let interval = Self.interval([
      event(50_000, on: 99, .message(vector: 0x41)), event(50_000, on: 99, accepted(0x41, by: 0)),
      event(60_000, on: 100, .wokenUp(hadSlept: true, after: 40_000)),
      event(90_000, on: 100, .wokenUp(hadSlept: false, after: 5000)),
    ])
    #expect(interval.halts == WatchInterval.Halts(polled: 1, slept: 1, pollTime: 5000, sleepTime: 40_000))
    let latency = try #require(interval.interrupts.first?.wakeUp)
    #expect(abs(Int64(latency.median) - 10_000) < 200)
  }

  @Test func `inhibits are what holds, and what changed`() {
    let interval = Self.interval([
      event(1000, on: 99, .inhibit(isSet: true, reason: 3, inhibits: 1 << 3)),
      event(2000, on: 99, .inhibit(isSet: true, reason: 9, inhibits: 1 << 3 | 1 << 9)),
      event(3000, on: 99, .inhibit(isSet: false, reason: 3, inhibits: 1 << 9)),
    ])
    #expect(interval.inhibits.inForce == 1 << 9)
    #expect(interval.inhibits.changes.map(\.reason) == [3, 9, 3])
    #expect(interval.inhibits.changes.map(\.isSet) == [true, true, false])
    #expect(interval.inhibits.changeCount == 3)
  }

  @Test func `an inhibit that is set or taken back again and again changes once`() {
    let events = [true, true, true, false, false, true].enumerated().map { time, isSet in
      event(UInt64(time), on: 99, .inhibit(isSet: isSet, reason: 3, inhibits: 1 << 9 | (isSet ? 1 << 3 : 0)))
    }
    let interval = Self.interval(events)
    #expect(interval.inhibits.changes.map(\.isSet) == [true, false, true])
    #expect(interval.inhibits.changes.map(\.time) == [0, 3, 5] && interval.inhibits.changeCount == 3)
    #expect(interval.inhibits.inForce == 1 << 9 | 1 << 3)
  }

  @Test func `no more is kept of inhibits that come and go without end`() {
    let events = (0..<10_000).map {
      event(
        UInt64($0), on: 99, .inhibit(isSet: $0.isMultiple(of: 2), reason: 8, inhibits: $0.isMultiple(of: 2) ? 256 : 0))
    }
    let interval = Self.interval(events)
    #expect(interval.inhibits.changeCount == 10_000 && interval.inhibits.changes.count == 64)
  }

  @Test func `events on another machine's threads are another's, whatever id they name`() {
    let other = ForeignMachine.madeUp(20, vcpus: [0: 200, 7: 201])
    let watch = Self.watch(among: [other], recordsAllThreads: true)
    let interval = Self.interval(
      [
        event(1000, on: 200, accepted(0x41, by: 0)), event(1100, on: 201, .injected(vector: 0x41, isReinjected: false)),
        event(1200, on: 200, .exited(reason: ExitReason(number: 12, architecture: 1))),
      ], watch)
    #expect(interval.interrupts.isEmpty && interval.exits == nil && interval.ambiguous == 0)
  }

  @Test func `an event of a kernel thread is whose the id tells, and left out where two machines have it`() {
    let other = ForeignMachine.madeUp(20, vcpus: [0: 200])
    let watch = Self.watch(among: [other], recordsAllThreads: true)
    let interval = Self.interval(
      [
        event(1000, on: 5, .message(vector: 0x41)), event(1000, on: 5, accepted(0x41, by: 7)),
        event(1100, on: 0, accepted(0x42, by: 0)), event(1200, on: 5, accepted(0x43, by: 99)),
        event(1300, on: 5, .inhibit(isSet: true, reason: 3, inhibits: 8)),
      ], watch)
    #expect(interval.interrupts.map(\.vector) == [0x41])
    #expect(interval.interrupts.first?.sources == [InterruptCount.Source(source: .message, count: 1)])
    #expect(interval.ambiguous == 2)
    #expect(interval.inhibits.inForce == nil)
  }

  @Test func `a thread of the machine's process is its own, and another machine's process is not`() throws {
    let host = try MadeUpHost()
    try host.addProcess(10, "one", threads: [55: "io"])
    try host.addProcess(20, "two", threads: [66: "io"])
    let other = ForeignMachine.madeUp(20, vcpus: [0: 200, 7: 201])
    let watch = Self.watch(among: [other], recordsAllThreads: true, processes: host.processes)
    let interval = Self.interval(
      [event(1000, on: 55, accepted(0x41, by: 0)), event(1100, on: 66, accepted(0x42, by: 0))], watch)
    #expect(interval.interrupts.map(\.vector) == [0x41] && interval.ambiguous == 0)
  }

  @Test func `two machines of one process are told apart by their vCPUs' threads`() {
    let other = ForeignMachine.madeUp(10, 12, vcpus: [0: 300])
    let watch = Self.watch(among: [other])
    let interval = Self.interval(
      [
        event(1000, on: 100, accepted(0x41, by: 0)), event(1100, on: 300, accepted(0x42, by: 0)),
        event(1200, on: 55, accepted(0x43, by: 0)), event(1300, on: 55, accepted(0x44, by: 7)),
      ], watch)
    #expect(interval.interrupts.map(\.vector) == [0x41, 0x44] && interval.ambiguous == 1)
  }

  @Test func `a vCPU that comes later is counted from then on`() {
    var watch = Self.watch()
    watch.take(event(1000, on: 99, accepted(0x41, by: 8)))
    let later = ForeignMachine.madeUp(10, vcpus: [0: 100, 7: 101, 8: 102])
    watch.note(later, among: [later])
    watch.take(event(2000, on: 99, accepted(0x42, by: 8)))
    let interval = watch.takeInterval(3000, isLast: true)
    #expect(interval.interrupts.map(\.vcpu) == [8] && interval.interrupts.map(\.vector) == [0x42])
  }

  @Test func `the sender of an IPI is told by its id, also where vCPUs come in another order than that of their ids`() {
    var watch = Self.watch()
    let later = ForeignMachine.madeUp(10, vcpus: [0: 100, 3: 103, 7: 101])
    watch.note(later, among: [later])
    for thread in [101, 103] as [Int32] {
      watch.take(event(1000, on: thread, .ipi(vector: 0x50)))
      watch.take(event(1100, on: thread, accepted(0x50, by: 0)))
    }
    let sources = watch.takeInterval(3000, isLast: true).interrupts.first?.sources
    #expect(sources?.map(\.source) == [.ipi(vcpu: 7), .ipi(vcpu: 3)])
  }

  @Test func `of more senders than are told apart the rest still sent an IPI`() throws {
    let vcpus = Dictionary(uniqueKeysWithValues: (0..<40).map { (UInt32($0), Int32?(1000 + Int32($0))) })
    let events = (1..<40).flatMap { sender in
      [
        event(UInt64(sender) * 100, on: 1000 + Int32(sender), .ipi(vector: 0x50)),
        event(UInt64(sender) * 100, on: 1000 + Int32(sender), accepted(0x50, by: 0)),
      ]
    }
    let row = try #require(Self.interval(events, Self.watch(machine: .madeUp(10, vcpus: vcpus))).interrupts.first)
    #expect(row.accepted == 39 && row.sources.reduce(0) { $0 + $1.count } == 39)
    #expect(row.sources.count == 33 && row.sources.last == InterruptCount.Source(source: .ipi(vcpu: nil), count: 7))
  }

  @Test func `a machine of hundreds of vCPUs that use every vector is counted in full`() {
    let vcpus = Dictionary(uniqueKeysWithValues: (0..<512).map { (UInt32($0), Int32?(1000 + Int32($0))) })
    let large = ForeignMachine.madeUp(10, vcpus: vcpus)
    var watch = Self.watch(machine: large)
    for id in 0..<UInt32(512) {
      for vector in 16...UInt8.max {
        watch.take(event(1000, on: 99, accepted(Vector(rawValue: vector), by: id)))
        watch.take(event(2000, on: 1000 + Int32(id), .injected(vector: Vector(rawValue: vector), isReinjected: false)))
      }
    }
    let interval = watch.takeInterval(1_000_000, isLast: true)
    #expect(interval.interrupts.count == 512 * 240)
    #expect(interval.accepted == 512 * 240)
    #expect(interval.lacksLatencies && interval.interrupts.count { $0.injection != nil } == 1024)
  }

  @Test func `writes and reads of x2APIC registers are counted, and those of others are not`() {
    let interval = Self.interval([
      event(1, on: 100, .accessed(register: 0x830, isWrite: true)),
      event(2, on: 100, .accessed(register: 0x80b, isWrite: true)),
      event(3, on: 101, .accessed(register: 0x802, isWrite: false)),
      event(4, on: 100, .accessed(register: 0x6e0, isWrite: true)),
      event(5, on: 55, .accessed(register: 0x830, isWrite: true)),
    ])
    #expect(interval.x2APICWrites == 2 && interval.x2APICReads == 1)
  }
}
