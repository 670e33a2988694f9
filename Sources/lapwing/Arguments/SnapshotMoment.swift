import ArgumentParser
import VMM

/// When a snapshot is taken, as people write it: `20ms`, `mark:3`, `mark:broadcast` or `exit:100`.
struct SnapshotMoment: ExpressibleByArgument, CustomStringConvertible {
  let moment: GuestMoment
  let description: String

  init?(argument: String) {
    let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    switch (parts.count, parts[0]) {
    case (1, _):
      guard let time = TimeLimit(argument: argument) else { return nil }
      moment = .time(time.duration)
    case (2, "mark") where !parts[1].isEmpty:
      moment = UInt32(parts[1]).map { .mark($0) } ?? .label(String(parts[1]))
    case (2, "exit"):
      guard let number = UInt64(parts[1]), number > 0 else { return nil }
      moment = .exit(number)
    default: return nil
    }
    description = argument
  }
}
