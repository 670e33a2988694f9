import Testing

@testable import Scenarios

@Suite struct SelectionTests {
  private static let cases =
    ScenarioCase.all(of: [MadeUpCases.scenario("ipi.self")])
    + MadeUpCases.named("ipi.self-register", "msi.halted", "tpr")

  private func selected(_ filters: String...) throws -> [String] {
    try SuiteSelection(filters: filters).select(from: Self.cases).map(\.id)
  }

  @Test func `no filter selects everything`() throws {
    #expect(try selected() == Self.cases.map(\.id))
  }

  @Test func `the beginning of ids selects them in their order`() throws {
    #expect(try selected("msi", "ipi.") == ["ipi.self.xapic", "ipi.self.x2apic", "ipi.self-register", "msi.halted"])
  }

  @Test func `a scenario's whole id selects its cases and no longer ids`() throws {
    #expect(try selected("ipi.self") == ["ipi.self.xapic", "ipi.self.x2apic"])
  }

  @Test func `a case's whole id selects it alone`() throws {
    #expect(try selected("ipi.self.x2apic") == ["ipi.self.x2apic"])
  }

  @Test func `a case that several filters select is run once`() throws {
    #expect(try selected("tpr", "t", "*") == Self.cases.map(\.id))
  }

  @Test(arguments: [("*.x2apic", 1), ("*", 5), ("ipi*ic", 2), ("*.*.*", 2), ("tpr*", 1), ("*self*", 3)])
  func `a pattern matches whole ids`(pattern: String, count: Int) throws {
    #expect(try selected(pattern).count == count)
  }

  @Test(arguments: ["nmi", "*.avic", "ipi.self.x2apic.more", "IPI", "ipi*self", ""].filter { !$0.isEmpty })
  func `a filter that selects nothing is refused by its name`(filter: String) {
    #expect(throws: SuiteSelection.UnknownFilter(filter: filter)) {
      try SuiteSelection(filters: ["tpr", filter]).select(from: Self.cases)
    }
  }
}

@Suite struct ShardTests {
  @Test func `all parts together are everything, once`() throws {
    let cases = (0..<23).map { "case.\($0)" }
    for count in 1...30 {
      let parts = try (1...count).map { try #require(SuiteShard(index: $0, of: count)).part(of: cases) }
      #expect(parts.flatMap(\.self).sorted() == cases.sorted())
    }
  }

  @Test func `parts are about equally large`() throws {
    let sizes = try (1...4).map { try #require(SuiteShard(index: $0, of: 4)).part(of: Array(0..<10)).count }
    #expect(sizes == [3, 3, 2, 2])
  }

  @Test func `a part is of what the filters select`() throws {
    let selection = SuiteSelection(filters: ["b"], shard: SuiteShard("2/2"))
    #expect(try selection.select(from: MadeUpCases.named("a", "b.one", "b.two", "b.three")).map(\.id) == ["b.two"])
  }

  @Test(arguments: ["0/2", "3/2", "1/0", "-1/2", "1", "1/2/3", "/", "a/b", "1/", ""])
  func `a part that cannot be is refused`(text: String) {
    #expect(SuiteShard(text) == nil)
  }

  @Test func `a part reads as it is written`() {
    #expect(SuiteShard("2/3")?.description == "2/3")
  }
}
