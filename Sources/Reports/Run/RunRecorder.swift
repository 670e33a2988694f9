import APIC
public import Control
public import Evidence
public import KVM
import MachineState
public import VMM

/// Collects what a machine shows while it runs, and makes the report of it.
public struct RunRecorder {
  private let guest: String
  private let machine: Machine
  private let backEnd: String
  private let programStart: ContinuousClock.Instant
  /// What the guest has written down, each with when that was.
  private var records: [(record: GuestRecord, time: Int64)] = []

  /// A recorder for one run.
  ///
  /// - Parameters:
  ///   - guest: what the report calls the guest.
  ///   - machine: the machine, not yet run.
  ///   - backEnd: the kernel module behind /dev/kvm.
  ///   - programStart: the moment that times are counted from.
  public init(guest: String, machine: Machine, backEnd: String, programStart: ContinuousClock.Instant) {
    self.guest = guest
    self.machine = machine
    self.backEnd = backEnd
    self.programStart = programStart
  }

  /// Takes what the guest has written down since the last call.
  ///
  /// - Returns: just that, for whoever shows it while the guest runs.
  public mutating func take() -> [RecordReport] {
    let new = machine.log.next().map { (record: $0, time: time(machine.clock.instant($0.tsc))) }
    records += new
    return new.map(report)
  }

  private func report(_ record: GuestRecord, _ time: Int64) -> RecordReport {
    var report = RecordReport(record, time: time)
    if case .exception(_, _, let address) = record.event { report.place = machine.symbols?[address] }
    return report
  }

  /// The report. After the run, and after the last `take`.
  ///
  /// - Parameters:
  ///   - outcome: how the guest ended.
  ///   - journeys: what recorded how its interrupts got there; nil where nothing did.
  ///   - threads: the kernel's ids of the machine's threads, by vCPU.
  ///   - injections: what was injected, and what became of it; nil where nothing was asked for.
  ///   - requests: what clients asked for; nil where there could be none.
  /// - Throws: `KVMError` where KVM does not give the statistics or the state of a vCPU.
  public func report(
    _ outcome: Outcome, journeys: JourneyRecorder? = nil, threads: [Int32] = [],
    injections: (all: [Injection], done: [Injector.Occurrence])? = nil, requests: RequestedInjections? = nil
  ) throws(KVMError) -> RunReport {
    let checks = records.compactMap { record, time -> RunReport.Check? in
      guard case .check(let label, let holds, let saw) = record.event else { return nil }
      return RunReport.Check(label: label, holds: holds, saw: saw, vcpu: record.vcpu, time: time)
    }
    let isSuccess = outcome.isSuccess && checks.allSatisfy(\.holds)
    var traced: RunReport.TraceReport?
    if let journeys { traced = try trace(journeys, threads) }
    let all = InjectionReport.all(
      of: injections?.all ?? [], injections?.done ?? [], requests: requests?.kept ?? [], programStart: programStart)
    return RunReport(
      guest: guest, success: isSuccess, outcome: OutcomeReport(outcome), machine: machineReport, times: times,
      interrupts: interrupts, checks: checks, records: records.map(report),
      droppedRecords: machine.log.droppedRecords,
      console: RunReport.ConsoleReport(text: machine.console.text, droppedBytes: machine.console.droppedBytes),
      injections: all.isEmpty ? nil : all, requestsLeftOut: requests.flatMap { $0.leftOut > 0 ? $0.leftOut : nil },
      trace: traced, vcpuStatistics: try vcpuStatistics, vmStatistics: counters(try machine.vm.statistics()),
      unclaimed: unclaimed, brokenQueues: machine.brokenQueues.isEmpty ? nil : machine.brokenQueues,
      vcpus: isSuccess ? [] : try machine.reports().map(VCPUStateReport.init),
      failure: isSuccess || outcome.isByGuest ? nil : (try? machine.capture()).map { FailureSituation(machine, $0) })
  }

  private var machineReport: RunReport.MachineReport {
    let configuration = machine.configuration
    return RunReport.MachineReport(
      vcpus: configuration.vcpus, memory: configuration.memory, irqchip: configuration.irqChip,
      apic: configuration.apic, start: configuration.start,
      profile: configuration.profile.name, cpu: configuration.cpu?.description, backEnd: backEnd,
      tscKHz: machine.clock.kHz)
  }

  private var times: RunReport.Times {
    RunReport.Times(
      start: time(machine.times.started ?? programStart), firstInstruction: machine.firstInstruction.map(time),
      end: time(machine.times.ended ?? .now))
  }

  private var interrupts: [RunReport.InterruptCount] {
    var counts: [Int: RunReport.InterruptCount] = [:]
    for (record, time) in records {
      guard case .interrupt(let vector, _) = record.event else { continue }
      let key = Int(vector.rawValue) << 16 | record.vcpu
      counts[
        key,
        default: RunReport.InterruptCount(
          vector: vector.rawValue, vcpu: record.vcpu, count: 0, first: time, last: time)
      ].count += 1
      counts[key]?.last = time
    }
    return counts.sorted { $0.key < $1.key }.map(\.value)
  }

  private func trace(
    _ recorder: JourneyRecorder, _ threads: [Int32]
  ) throws(KVMError) -> RunReport.TraceReport {
    let taken = records.compactMap { record, _ -> InterruptTaken? in
      guard case .interrupt(let vector, _) = record.event, vector.rawValue >= 16 else { return nil }
      return InterruptTaken(vcpu: record.vcpu, vector: vector, tsc: record.tsc)
    }
    return RunReport.TraceReport(
      try recorder.finish(machine, threads: threads, taken: taken), programStart: programStart)
  }

  private var vcpuStatistics: [[String: UInt64]] {
    get throws(KVMError) {
      var all: [[String: UInt64]] = []
      for vcpu in machine.vcpus { all.append(counters(try vcpu.statistics())) }
      return all
    }
  }

  private func counters(_ statistics: Statistics) -> [String: UInt64] {
    var counters: [String: UInt64] = [:]
    for name in statistics.names { counters[name] = statistics[name] }
    return counters
  }

  private var unclaimed: [RunReport.UnclaimedReport] {
    machine.unclaimedAccesses.filter { $0.accesses.count > 0 }.map { bus, accesses in
      RunReport.UnclaimedReport(bus: bus, count: accesses.count, first: accesses.first.map(\.description))
    }
  }

  private func time(_ instant: ContinuousClock.Instant) -> Int64 {
    Int64((instant - programStart) / .nanoseconds(1))
  }
}

/// Something that a guest wrote down, for a report.
public struct RecordReport: Codable, Sendable {
  /// What it is.
  public var kind: Kind
  /// The vCPU that wrote it.
  public var vcpu: Int
  /// The guest's TSC.
  public var tsc: UInt64
  /// When, in nanoseconds since the program started.
  public var time: Int64
  /// The vector of an interrupt or an exception.
  public var vector: UInt8?
  /// The interrupted instruction's address, or a figure.
  public var value: UInt64?
  /// The text of a mark, a check or a figure.
  public var label: String?
  /// Whether a check held.
  public var holds: Bool?
  /// What a check saw.
  public var saw: Int64?
  /// An exception's error code.
  public var errorCode: UInt32?
  /// Where an exception was, by a function of the image, such as `main+0x1e`; absent where none is near.
  public var place: String?

  /// What a guest writes down, each with its word in a document.
  public enum Kind: String, Codable, Hashable, Sendable {
    /// It took an interrupt.
    case interrupt
    /// It took an exception.
    case exception
    /// It came to a place.
    case mark
    /// It checked something.
    case check
    /// It found a figure.
    case value
    /// Something that this program does not know.
    case unknown
  }

  init(_ record: GuestRecord, time: Int64) {
    vcpu = record.vcpu
    tsc = record.tsc
    self.time = time
    switch record.event {
    case .interrupt(let vector, let instruction):
      kind = .interrupt
      self.vector = vector.rawValue
      value = instruction
    case .exception(let vector, let errorCode, let instruction):
      kind = .exception
      self.vector = vector.rawValue
      value = instruction
      self.errorCode = errorCode
    case .mark(let label):
      kind = .mark
      self.label = label
    case .check(let label, let holds, let saw):
      kind = .check
      self.label = label
      self.holds = holds
      self.saw = saw
    case .value(let label, let value):
      kind = .value
      self.label = label
      self.value = value
    case .unknown(let code):
      kind = .unknown
      value = UInt64(code)
    }
  }
}
