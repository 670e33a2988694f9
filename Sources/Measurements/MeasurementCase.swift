public import APIC
import GuestContract

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
