import Support

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
    case .label(let label): progress.isReached(label)
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

extension GuestMoment {
  /// The moment that a text stands for: `5ms` after the start, `mark:3`, `mark:broadcast` or `exit:100`.
  ///
  /// - Parameter text: a length of time; or `mark:` with a number of 32 bits or any other text that is not empty; or `exit:`
  ///   with a number from 1.
  /// - Returns: nil for anything else.
  public init?(written text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    switch (parts.count, parts[0]) {
    case (1, _):
      guard let time = Duration(written: text) else { return nil }
      self = .time(time)
    case (2, "mark") where !parts[1].isEmpty:
      self = UInt32(parts[1]).map { .mark($0) } ?? .label(String(parts[1]))
    case (2, "exit"):
      guard let number = UInt64(parts[1]), number > 0 else { return nil }
      self = .exit(number)
    default: return nil
    }
  }
}
