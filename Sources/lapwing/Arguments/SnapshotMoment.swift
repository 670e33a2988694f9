import ArgumentParser
import VMM

/// When a snapshot is taken, as people write it: `20ms`, `mark:3`, `mark:broadcast` or `exit:100`.
struct SnapshotMoment: ExpressibleByArgument, CustomStringConvertible {
  let moment: GuestMoment
  let description: String

  init?(argument: String) {
    guard let moment = GuestMoment(written: argument), moment != .time(.zero) else { return nil }
    self.moment = moment
    description = argument
  }
}
