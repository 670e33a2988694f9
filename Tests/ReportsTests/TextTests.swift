import Support
import Testing

@testable import Reports

@Suite struct TextTests {
  @Test(arguments: [
    (Int64(0), "0.0 ms"), (49_999, "0.0 ms"), (50_000, "0.1 ms"), (12_345_678, "12.3 ms"), (-1_500_000, "-1.5 ms"),
    (9_999_900_000, "9999.9 ms"), (10_000_000_000, "10.00 s"), (61_234_000_000, "61.23 s"),
    (.max, "9223372036.85 s"),
  ])
  func `times are milliseconds with a digit, from 10 s on seconds with two`(nanoseconds: Int64, text: String) {
    #expect(Units.time(nanoseconds) == text)
  }

  @Test func `a count knows its plural`() {
    #expect(Units.count(1, "vCPU") == "1 vCPU")
    #expect(Units.count(0, "vCPU") == "0 vCPUs")
    #expect(Units.count(2, "access", plural: "accesses") == "2 accesses")
  }

  @Test func `a table's first column is to the left, the others to the right`() {
    var table = Table()
    table.add(["", "vCPU 0", "vCPU 1"])
    table.add(["exits", "7", "12345678"])
    table.add(["vm", "1"])
    #expect(table.lines() == ["         vCPU 0    vCPU 1", "  exits       7  12345678", "  vm          1"])
    #expect(table.lines(indent: 0)[2] == "vm          1")
    #expect(Table().lines().isEmpty)
  }

  @Test func `a style paints only where there is colour`() {
    #expect(Style().red("x") == "x")
    let style = Style(hasColor: true)
    #expect(
      [style.bold("x"), style.dim("x"), style.red("x")].map(\.text) == [
        "\u{1b}[1mx\u{1b}[0m", "\u{1b}[2mx\u{1b}[0m", "\u{1b}[31mx\u{1b}[0m",
      ])
    #expect([style.green("x"), style.yellow("x")].map(\.text) == ["\u{1b}[32mx\u{1b}[0m", "\u{1b}[33mx\u{1b}[0m"])
  }

  @Test func `guests are listed a line each, their summaries in a column`() {
    let list = GuestList(guests: [
      GuestList.Guest(name: "a", summary: "First."), GuestList.Guest(name: "longer", summary: "Second."),
    ])
    #expect(list.text() == "a       First.\nlonger  Second.")
    #expect(list.text(Style(hasColor: true)).hasPrefix("\u{1b}[1ma     \u{1b}[0m  First."))
    #expect(GuestList(guests: []).text() == "")
  }
}
