import ArgumentParser
import VMM

/// When a snapshot is taken, as people write it: `20ms`, `mark:3`, `mark:broadcast` or `exit:100`.
struct SnapshotMoment: ExpressibleByArgument, CustomStringConvertible {
  /// What is waited for.
  enum Kind {
    /// Something that stops the guest itself.
    case moment(GuestMoment)
    /// A mark with this text in the guest's log.
    case label(String)
  }

  let kind: Kind
  let description: String

  init?(argument: String) {
    let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    switch (parts.count, parts[0]) {
    case (1, _):
      guard let time = TimeLimit(argument: argument) else { return nil }
      kind = .moment(.time(time.duration))
    case (2, "mark") where !parts[1].isEmpty:
      kind = UInt32(parts[1]).map { .moment(.mark($0)) } ?? .label(String(parts[1]))
    case (2, "exit"):
      guard let number = UInt64(parts[1]), number > 0 else { return nil }
      kind = .moment(.exit(number))
    default: return nil
    }
    description = argument
  }

  /// What the machine is to stop at by itself, from its start on.
  var trigger: GuestMoment? {
    if case .moment(let moment) = kind { moment } else { nil }
  }

  /// Pauses a machine that runs when it comes to the moment.
  ///
  /// - Returns: whether it came there.
  func pause(_ machine: Machine, within limit: Duration) throws(MachineError) -> Bool {
    switch kind {
    case .moment(let moment): return try machine.pause(at: moment, within: limit)
    case .label(let label):
      let deadline = ContinuousClock.now + limit
      while !machine.log.next().contains(where: { $0.event == .mark(label) }) {
        guard machine.stop.reason == nil, .now < deadline else { return false }
        machine.stop.wait(atMost: .milliseconds(1))
      }
      try machine.pause()
      return true
    }
  }
}
