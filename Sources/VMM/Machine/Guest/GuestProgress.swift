import Support
import Synchronization

/// How far a guest says that it has come.
public final class GuestProgress: StatefulDevice, Sendable {
  private let isReadyFlag = Atomic<Bool>(false)
  private let lastMark = Atomic<UInt32>(0)
  private let unknownCommands = Atomic<Int>(0)
  private let awaited = Mutex<[String: AwaitedMark]>([:])

  /// A mark that somebody waits for.
  private struct AwaitedMark {
    var waiting = 0
    var isReached = false
  }

  init() {}

  /// Whether it has said that it is set up.
  public var isReady: Bool { isReadyFlag.load(ordering: .acquiring) }

  /// The number of the last mark that it reached; 0 before the first.
  public var mark: UInt32 { lastMark.load(ordering: .acquiring) }

  /// How many commands it gave that mean nothing.
  public var misunderstoodCommands: Int { unknownCommands.load(ordering: .relaxed) }

  static let stateName = "progress"

  /// How far it has come, for a snapshot.
  func save() -> DeviceState {
    DeviceState(
      name: Self.stateName,
      fields: [
        "ready": [isReady ? 1 : 0], "mark": [UInt64(mark)],
        "misunderstoodCommands": [UInt64(truncatingIfNeeded: misunderstoodCommands)],
      ])
  }

  /// Goes on from there.
  ///
  /// - Throws: `DeviceStateError` for a state that is none of this.
  func restore(_ saved: DeviceState) throws(DeviceStateError) {
    let values = try Self.values(of: saved)
    isReadyFlag.store(values.isReady, ordering: .releasing)
    lastMark.store(values.mark, ordering: .releasing)
    unknownCommands.store(values.misunderstood, ordering: .relaxed)
  }

  static func values(
    of saved: DeviceState
  ) throws(DeviceStateError) -> (isReady: Bool, mark: UInt32, misunderstood: Int) {
    (
      try saved.value("ready", upTo: 1) == 1,
      UInt32(truncatingIfNeeded: try saved.value("mark", upTo: UInt64(UInt32.max))),
      Int(truncatingIfNeeded: try saved.value("misunderstoodCommands", upTo: UInt64(Int.max)))
    )
  }

  func ready() { isReadyFlag.store(true, ordering: .releasing) }
  func reached(_ number: UInt32) { lastMark.store(number, ordering: .releasing) }

  /// Looks out for a mark with that text from now on, until it is forgotten as often.
  func awaitMark(_ label: String) {
    awaited.withLock { awaited in
      awaited[label, default: AwaitedMark()].waiting += 1
      awaited[label]?.isReached = false
    }
  }

  /// Takes that back once.
  ///
  /// - Returns: whether a mark is still waited for, of whatever text.
  func forgetMark(_ label: String) -> Bool {
    awaited.withLock { awaited in
      awaited[label]?.waiting -= 1
      if awaited[label]?.waiting == 0 { awaited[label] = nil }
      return !awaited.isEmpty
    }
  }

  /// Whether the guest has come to a mark that is waited for.
  func isReached(_ label: String) -> Bool { awaited.withLock { $0[label]?.isReached ?? false } }

  /// The guest has told of a mark.
  func marked(_ label: String) { awaited.withLock { $0[label]?.isReached = true } }

  func misunderstood() { unknownCommands.wrappingAdd(1, ordering: .relaxed) }
}

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
