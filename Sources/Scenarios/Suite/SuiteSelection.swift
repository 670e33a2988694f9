import Support

/// Which cases are to be run.
public struct SuiteSelection: Hashable, Sendable {
  /// Ids, beginnings of ids, or patterns in which `*` stands for anything; none for all cases.
  public var filters: [String]
  /// The part of them that is this host's; nil for all.
  public var shard: SuiteShard?

  /// A selection.
  public init(filters: [String] = [], shard: SuiteShard? = nil) {
    self.filters = filters
    self.shard = shard
  }

  /// A filter that no case matches.
  public struct UnknownFilter: Error, Hashable, Sendable, CustomStringConvertible {
    /// The filter.
    public let filter: String

    /// What is wrong with it.
    public var description: String {
      filter.contains("*") ? "no case's id is like '\(filter)'" : "no case's id is '\(filter)' or begins with it"
    }
  }

  /// The cases that are selected, in their order.
  ///
  /// - Throws: `UnknownFilter` for the first filter that selects nothing: it is a mistake nearly always.
  ///
  /// - Parameter cases: all there are.
  public func select(from cases: [ScenarioCase]) throws(UnknownFilter) -> [ScenarioCase] {
    guard !filters.isEmpty else { return shard?.part(of: cases) ?? cases }
    var selected: Set<Int> = []
    for filter in filters {
      let matches = Self.matches(of: filter, in: cases)
      guard !matches.isEmpty else { throw UnknownFilter(filter: filter) }
      selected.formUnion(matches)
    }
    let chosen = selected.sorted().map { cases[$0] }
    return shard?.part(of: chosen) ?? chosen
  }

  /// A whole id, of a case or of a scenario, selects that alone, even where longer ids begin with it.
  private static func matches(of filter: String, in cases: [ScenarioCase]) -> [Int] {
    func indices(_ isMatch: (ScenarioCase) -> Bool) -> [Int] { cases.indices.filter { isMatch(cases[$0]) } }
    let pattern = WildcardPattern(filter)
    if pattern.hasWildcard { return indices { pattern.matches($0.id) } }
    let exact = indices { $0.id == filter || $0.scenario.id == filter }
    return exact.isEmpty ? indices { $0.id.hasPrefix(filter) } : exact
  }
}

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
