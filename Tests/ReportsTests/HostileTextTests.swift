import Foundation
import FoundationXML
import KVM
import MachineState
import Measurements
import Support
import TestStates
import Testing

@testable import Reports
@testable import UnitTests

/// Every report, with texts in it of somebody who wants to be mistaken for the program.
@Suite struct HostileTextTests {
  /// Nothing that a terminal obeys is in a text but newlines, and no line is the vandal's.
  private func expectHarmless(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(
      !text.unicodeScalars.contains { $0 != "\n" && Escape.isNeeded(for: $0) }, sourceLocation: sourceLocation)
    #expect(!text.split(separator: "\n").contains { $0.hasPrefix("victim") }, sourceLocation: sourceLocation)
  }

  /// The texts that somebody wrote are in it.
  private func expectTreated(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(text.contains("x\\nvictim: passed; 7 checks held\\x1b[2J"), sourceLocation: sourceLocation)
    expectHarmless(text, sourceLocation: sourceLocation)
  }

  @Test func `a run's report`() throws {
    let report = try Vandal.treat(RunReport.madeUp())
    #expect(report.records.contains { $0.label == Vandal.text })
    expectTreated(report.text(allStatistics: true))
    for record in report.records {
      if let line = record.line() { expectHarmless(line.text) }
    }
    expectTreated(report.machine.text.text)
  }

  @Test func `the suite's report, also as KTAP and JUnit`() throws {
    var report = try SuiteReport.madeUp()
    report.cases[1].failure?.console = "one\ntwo"
    report.cases[1].checks = [.init(verdict: .failed, text: "it works")]
    report.cases[0].evidence = ["0x40 on vCPU 0: software"]
    report = try Vandal.treat(report)
    for text in [report.text(), report.ktap] { expectTreated(text) }
    #expect(!report.ktap.split(separator: "\n").contains { $0.hasPrefix("    victim") })
    for item in report.cases { expectTreated(item.line().text) }
    expectHarmless(report.junit)
    #expect(XMLParser(data: Data(report.junit.utf8)).parse())
  }

  @Test func `what a guest printed is marked as the guest's in a report`() throws {
    var report = try SuiteReport.madeUp()
    report.cases[1].failure?.console = "ok      forged\r\n  alone: rm -rf /\n"
    let lines = report.text().split(separator: "\n")
    #expect(lines.contains("    | ok      forged"))
    #expect(lines.contains("    |   alone: rm -rf /"))
  }

  @Test(arguments: ["\u{1f1e6}", "e\u{301}\u{301}\u{301}"])
  func `of what a unit test printed the end is kept, in bytes`(printed: String) throws {
    var result = UnitTestResult(UnitTest(name: "x"), .failed("it says so"))
    result.output = String(repeating: printed, count: 1 << 18) + "\nthe end"
    let console = try #require(CaseReport(result).failure?.console)
    #expect((8000...8192).contains(console.utf8.count))
    #expect(console.hasSuffix("\nthe end"))
  }

  @Test func `a host's report`() throws {
    let feature = DoctorReport.Feature(id: "a", title: "b", state: .missing, evidence: "c", hint: "d")
    var report = DoctorReport(HostSurvey.take())
    report.features = [feature]
    report.capabilities = ["KVM_CAP_X": 1]
    report.modules = ["kvm_intel": ["nested": "N"]]
    (report.canRun, report.deviceError) = (false, "e")
    expectTreated(try Vandal.treat(report).text(everything: true))
  }

  @Test func `a comparison of the suite on two hosts`() throws {
    expectTreated(try Vandal.treat(ComparisonReportTests.madeUp()).text())
  }

  @Test func `measurements, their comparison and their drawing`() throws {
    var report = BenchReportTests.madeUp(["ipi.running": [4000, 4000], "msi": []])
    report.comparison = BenchComparison(of: report, with: report)
    report = try Vandal.treat(report)
    expectTreated(report.text())
    expectHarmless(report.svg)
    #expect(XMLParser(data: Data(report.svg.utf8)).parse())
  }

  @Test func `a saved machine and what two of them have different`() throws {
    let before = MadeUpMachine.busy()
    var after = before
    after.guest = Vandal.text
    after.host.kernel = Vandal.text
    after.host.processor = Vandal.text
    expectTreated(Inspection(after).text())
    expectTreated(DifferenceReport(before, after).text(showsAll: true))
    expectTreated(try Vandal.treat(DifferenceReport(before, after)).text())
    let selection = RegisterSelection(Inspection(after).registers(named: "GUEST"))
    expectTreated(try Vandal.treat(selection).text())
  }

  @Test func `lists`() throws {
    let guests = GuestList(guests: [.init(name: "a", summary: "b")])
    expectTreated(try Vandal.treat(guests).text())
  }

  @Test func `a document has such characters by their numbers and gives them back`() throws {
    let report = try Vandal.treat(GuestList(guests: [.init(name: "a", summary: "\u{e0041}")]))
    let text = try JSONDocument.text(report)
    expectHarmless(text)
    let again = try JSONDocument.read(GuestList.self, schema: Vandal.text, from: Array(text.utf8))
    #expect(again.guests[0].name == Vandal.text)
    let tag = try JSONDocument.text(GuestList(guests: [.init(name: "a", summary: "\u{e0041}")]))
    #expect(tag.contains("\\udb40\\udc41"))
  }

  @Test func `colours are the program's own`() throws {
    let line = Style(hasColor: true).red("\u{1b}[0mfalse")
    #expect(line.text == "\u{1b}[31m\\x1b[0mfalse\u{1b}[0m")
  }
}
