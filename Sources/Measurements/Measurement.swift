public import APIC
public import GuestContract
public import KVM

/// One latency or cost: what is timed, by what in the guest, and what the host does for it.
///
/// Its guest is always `bench`, which has one operation for each thing that can be timed (GuestBench.h).
public struct Measurement: Sendable {
  /// What kind of time it is.
  public enum Quantity: String, Hashable, Sendable, CaseIterable {
    /// How long an instruction of the guest takes.
    case cost
    /// From a cause to the handler of the interrupt that it raises.
    case latency
    /// From the moment that a timer was set for to its handler.
    case lateness
  }

  /// Where a vCPU is when the interrupt comes that is timed.
  public enum Target: Hashable, Sendable {
    /// In the guest, executing instructions.
    case running
    /// Halted, for longer than KVM polls for it to wake.
    case halted
  }

  /// What measures it.
  public enum Means: Hashable, Sendable {
    /// An operation of the guest `bench`, on a machine of so many vCPUs that the host only runs.
    case guest(BenchOperation, target: Target, vcpus: Int)
    /// The guest `bench` again, which looks for gaps in its time while the host takes a snapshot of its machine.
    case snapshots(vcpus: Int)
  }

  /// Words with dots between them, such as `ipi.halted`; unique.
  public let id: String
  /// What is timed, in a line.
  public let title: String
  /// What kind of time it is.
  public let quantity: Quantity
  /// From what to what.
  public let span: String
  /// What the host does for it; nil where that is nothing but to run the guest.
  public let stimulus: String?
  /// The APIC modes that it is taken in, each a case of its own.
  public let modes: [APICMode]
  /// What a host's KVM must have.
  public let needs: [Capability]
  /// What measures it.
  public let means: Means

  /// A measurement.
  ///
  /// - Parameters:
  ///   - id: words with dots between them, unique.
  ///   - title: what is timed, in a line.
  ///   - quantity: what kind of time it is.
  ///   - span: from what to what.
  ///   - stimulus: what the host does for it.
  ///   - modes: the APIC modes that it is taken in.
  ///   - needs: what a host's KVM must have.
  ///   - means: what measures it.
  public init(
    _ id: String, _ title: String, _ quantity: Quantity, span: String, stimulus: String? = nil,
    modes: [APICMode] = [.x2APIC], needs: [Capability] = [], by means: Means
  ) {
    self.id = id
    self.title = title
    self.quantity = quantity
    self.span = span
    self.stimulus = stimulus
    self.modes = modes
    self.needs = needs
    self.means = means
  }

  /// The cost of an instruction, between two readings of the TSC on one vCPU.
  static func cost(
    _ id: String, _ title: String, modes: [APICMode] = [.x2APIC], needs: [Capability] = [], stimulus: String? = nil,
    _ operation: BenchOperation
  ) -> Measurement {
    Measurement(
      id, title, .cost, span: "from before the instruction to after it", stimulus: stimulus, modes: modes, needs: needs,
      by: .guest(operation, target: .running, vcpus: 1))
  }

  /// The latency of an interrupt from one vCPU's doing to another's handler, once to a running and once to a halted one.
  static func latencies(
    _ id: String, _ title: String, from cause: String, modes: [APICMode] = [.x2APIC], needs: [Capability] = [],
    stimulus: String? = nil, _ operation: BenchOperation
  ) -> [Measurement] {
    [(".running", "to a running vCPU", Target.running), (".halted", "to a halted vCPU", .halted)].map {
      suffix, whom, target in
      Measurement(
        id + suffix, "\(title) \(whom)", .latency, span: "from before \(cause) on vCPU 0 to the handler on vCPU 1",
        stimulus: stimulus, modes: modes, needs: needs, by: .guest(operation, target: target, vcpus: 2))
    }
  }

  /// The lateness of the local APIC's timer, once on a running and once on a halted vCPU.
  static func lateness(
    _ id: String, _ title: String, from due: String, needs: [Capability] = [], _ operation: BenchOperation
  ) -> [Measurement] {
    [(".running", "on a running vCPU", Target.running), (".halted", "on a halted vCPU", .halted)].map {
      suffix, whom, target in
      Measurement(
        id + suffix, "\(title) \(whom)", .lateness, span: "from \(due) to the handler", needs: needs,
        by: .guest(operation, target: target, vcpus: 1))
    }
  }
}

/// A measurement in one of its APIC modes: what is run, counted and reported.
public struct MeasurementCase: Sendable {
  /// The measurement.
  public let measurement: Measurement
  /// The mode.
  public let mode: APICMode

  /// A case.
  public init(measurement: Measurement, mode: APICMode) {
    self.measurement = measurement
    self.mode = mode
  }

  /// The measurement's id, with the mode behind it where it is taken in more than one: `eoi.x2apic`.
  public var id: String {
    guard measurement.modes.count > 1 else { return measurement.id }
    return measurement.id + (mode == .x2APIC ? ".x2apic" : ".xapic")
  }

  /// The first word of its id.
  public var family: String { String(id.prefix { $0 != "." }) }

  /// How many vCPUs its machine has.
  public var vcpus: Int {
    switch measurement.means {
    case .guest(_, _, let vcpus), .snapshots(let vcpus): vcpus
    }
  }

  /// The words that tell the guest `bench` to take so many samples of it.
  public func arguments(samples: Int) -> String {
    let (operation, target) =
      switch measurement.means {
      case .guest(let operation, let target, _): (operation, target)
      case .snapshots: (BenchOperation.snapshot, Measurement.Target.running)
      }
    return "operation=\(operation.rawValue) samples=\(samples)\(target == .halted ? " halted" : "")"
  }

  /// All cases of a catalogue, in its order.
  public static func all(of catalogue: [Measurement] = Measurement.catalogue) -> [MeasurementCase] {
    catalogue.flatMap { measurement in
      measurement.modes.map { MeasurementCase(measurement: measurement, mode: $0) }
    }
  }

  /// The cases that a word on the command line names: an id, or the beginning of ids.
  public static func named(_ word: String, among cases: [MeasurementCase]) -> [MeasurementCase] {
    let exact = cases.filter { $0.id == word || $0.measurement.id == word }
    return exact.isEmpty ? cases.filter { $0.id.hasPrefix(word) } : exact
  }
}
