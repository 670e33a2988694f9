/// What concurrent steps have come to.
public struct OrderCounts: Hashable, Sendable {
  /// How many there were.
  public var steps = 0
  /// Of how many the orders could not be told apart by time alone: calls were under way together.
  public var overlapping = 0
  /// Of how many more than one machine may be the right one, which what follows decides.
  public var open = 0
  /// How many pieces of calls were tried.
  public var pieces = 0
  /// How many searches were cut off: what those steps led to is not known, and their histories ended there.
  public var cutOff = 0

  /// None yet.
  public init() {}

  /// Adds those of others.
  mutating func add(_ other: OrderCounts) {
    steps += other.steps
    overlapping += other.overlapping
    open += other.open
    pieces += other.pieces
    cutOff += other.cutOff
  }
}
