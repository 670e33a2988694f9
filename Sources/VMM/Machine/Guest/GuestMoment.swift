/// A moment in a guest's run at which it can be stopped.
public enum GuestMoment: Hashable, Sendable {
  /// So long after the vCPUs were let into the guest.
  case time(Duration)
  /// The guest has said that it has come to this mark, or a later one.
  case mark(UInt32)
  /// The guest has written down a mark with this text since it was waited for (`mark` of GuestKit).
  case label(String)
  /// So many exits to user space have been answered, of all vCPUs together, from 1.
  case exit(UInt64)

  /// Whether a vCPU that has just answered an exit is there.
  func isReached(exits: UInt64, _ progress: GuestProgress) -> Bool {
    switch self {
    case .time: false
    case .mark(let number): progress.mark >= number
    case .label: progress.isAwaitedMarkReached
    case .exit(let number): exits >= number
    }
  }
}

extension GuestMoment: CustomStringConvertible {
  /// The moment, for a person.
  public var description: String {
    switch self {
    case .time(let time): "\(time)"
    case .mark(let number): "mark \(number)"
    case .label(let label): "mark '\(label)'"
    case .exit(let number): "exit \(number)"
    }
  }
}
