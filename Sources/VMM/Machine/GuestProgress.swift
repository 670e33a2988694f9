import Synchronization

/// How far a guest says that it has come.
public final class GuestProgress: Sendable {
  private let isReadyFlag = Atomic<Bool>(false)
  private let lastMark = Atomic<UInt32>(0)
  private let unknownCommands = Atomic<Int>(0)

  init() {}

  /// Whether it has said that it is set up.
  public var isReady: Bool { isReadyFlag.load(ordering: .acquiring) }

  /// The number of the last mark that it reached; 0 before the first.
  public var mark: UInt32 { lastMark.load(ordering: .acquiring) }

  /// How many commands it gave that mean nothing.
  public var misunderstoodCommands: Int { unknownCommands.load(ordering: .relaxed) }

  func ready() { isReadyFlag.store(true, ordering: .releasing) }
  func reached(_ number: UInt32) { lastMark.store(number, ordering: .releasing) }
  func misunderstood() { unknownCommands.wrappingAdd(1, ordering: .relaxed) }
}
