import APIC
import Foundation
import Reports
import Testing

@testable import Scenarios

@Suite struct CatalogueTests {
  private static let cases = ScenarioCase.all(of: Scenario.catalogue)

  @Test func `ids are unique`() {
    let ids = Self.cases.map(\.id) + Scenario.catalogue.filter { $0.modes.count > 1 }.map(\.id)
    #expect(Set(ids).count == ids.count)
  }

  @Test(arguments: Scenario.catalogue.map(\.id))
  func `an id is lower-case words with a family in front`(id: String) {
    #expect(id.wholeMatch(of: /[a-z][a-z0-9]*(\.[a-z0-9]+(-[a-z0-9]+)*)+/) != nil)
  }

  @Test(arguments: Scenario.catalogue.map(\.title))
  func `a title is a sentence on one line, without a full stop`(title: String) {
    #expect(title.split(separator: " ").count >= 3)
    #expect(title.first?.isLowercase == false)
    #expect(title.last != ".")
    #expect(title.count <= 110 && !title.contains(where: \.isNewline))
  }

  @Test(arguments: Scenario.catalogue.map(\.id))
  func `a scenario says what it exercises and in which modes`(id: String) throws {
    let scenario = try #require(Scenario.catalogue.first { $0.id == id })
    #expect(!scenario.exercises.isEmpty)
    #expect(scenario.exercises.allSatisfy { !$0.isEmpty })
    #expect(!scenario.modes.isEmpty && Set(scenario.modes).count == scenario.modes.count)
    if case .impossible(let reason) = scenario.sabotage { #expect(reason.count > 10) }
  }

  @Test(arguments: Self.cases.map(\.id))
  func `the command that runs a case alone selects it alone`(id: String) throws {
    #expect(try SuiteSelection(filters: [id]).select(from: Self.cases).map(\.id) == [id])
  }

  @Test func `every system that the suite sets out to cover is exercised`() {
    #expect(CatalogueReport(Self.cases).coverage.filter { $0.ids.isEmpty }.map(\.system) == [])
  }

  @Test func `docs/scenarios.md is what the catalogue says`() throws {
    let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/scenarios.md")
      .standardized
    let text = try String(contentsOf: page, encoding: .utf8)
    #expect(
      text == CatalogueReport(Self.cases).markdown + "\n",
      "run: swift run lapwing test --list --format markdown --output docs/scenarios.md")
  }
}
