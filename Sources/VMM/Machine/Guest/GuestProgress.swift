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
