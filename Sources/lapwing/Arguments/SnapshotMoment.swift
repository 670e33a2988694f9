import ArgumentParser
import VMM

/// When a snapshot is taken, as people write it: `20ms`, `mark:3` or `exit:100`.
struct SnapshotMoment: ExpressibleByArgument {
  let moment: GuestMoment

  init?(argument: String) {
    let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    switch parts.count {
    case 1:
      guard let time = TimeLimit(argument: argument) else { return nil }
      moment = .time(time.duration)
    case 2 where parts[0] == "mark":
      guard let number = UInt32(parts[1]), number > 0 else { return nil }
      moment = .mark(number)
    case 2 where parts[0] == "exit":
      guard let number = UInt64(parts[1]), number > 0 else { return nil }
      moment = .exit(number)
    default: return nil
    }
  }
}
