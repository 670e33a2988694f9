/// One of so many equal parts of the suite, so that a fleet of hosts splits the work.
public struct SuiteShard: Hashable, Sendable, CustomStringConvertible {
  /// Which part, from 1.
  public let index: Int
  /// How many parts there are.
  public let count: Int

  /// Part `index` of `count`; nil unless 1 <= index <= count.
  public init?(index: Int, of count: Int) {
    guard count >= 1, (1...count).contains(index) else { return nil }
    self.index = index
    self.count = count
  }

  /// A part as `2/3`; nil for anything else.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let index = Int(parts[0]), let count = Int(parts[1]) else { return nil }
    self.init(index: index, of: count)
  }

  /// `2/3`.
  public var description: String { "\(index)/\(count)" }

  /// Every `count`th element, so that each part gets its share of every family. It depends on the order alone.
  func part<Element>(of elements: [Element]) -> [Element] {
    stride(from: index - 1, to: elements.count, by: count).map { elements[$0] }
  }
}
