import KVM
import TestImages
import VMM

/// A guest that was run to its end.
struct Run {
  let machine: Machine
  let outcome: Outcome
  /// How long `Machine.run` took.
  let elapsed: Duration
  /// All that the guest wrote down.
  let records: [GuestRecord]

  /// How it ended, in words, which name the vCPU.
  var ending: String { "\(outcome)" }

  /// The labels of the checks that failed.
  var failedChecks: [String] {
    records.compactMap { record in
      guard case .check(let label, false, let saw) = record.event else { return nil }
      return "\(label) (saw \(saw))"
    }
  }

  /// Boots an image and runs it.
  init(
    _ image: [UInt8], limit: Duration = .seconds(60), console: Console = Console(),
    _ configure: (inout MachineConfiguration) -> Void = { _ in }
  ) throws {
    try self.init(GuestImage(name: "test", bytes: image), limit: limit, console: console, configure)
  }

  init(
    _ image: GuestImage, limit: Duration = .seconds(60), console: Console = Console(),
    _ configure: (inout MachineConfiguration) -> Void = { _ in }
  ) throws {
    let machine = try Machine.testing(image, console: console, configure)
    var records: [GuestRecord] = []
    let start = ContinuousClock.now
    outcome = try machine.run(limit: limit) { records += machine.log.next() }
    elapsed = .now - start
    self.machine = machine
    self.records = records
  }
}

extension Machine {
  /// A machine that is ready to run `image`.
  static func testing(
    _ image: GuestImage, console: Console = Console(), _ configure: (inout MachineConfiguration) -> Void = { _ in }
  ) throws -> Machine {
    var configuration = MachineConfiguration()
    configure(&configuration)
    return try Machine(configuration, image: image, on: try KVM.open(), console: console)
  }
}

/// What a run with a limit may take on a host that is busy with other things.
let slack = Duration.seconds(10)
