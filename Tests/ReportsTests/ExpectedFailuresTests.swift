import Testing

@testable import Reports

@Suite struct ExpectedFailuresTests {
  private static let ids = ["ipi.self.xapic", "ipi.self.x2apic", "msi.halted.xapic"]
  private static let host = SuiteReport.Host(kernel: "6.1.0-40-amd64", backEnd: "kvm_intel")

  private static func read(_ text: String) throws -> ExpectedFailures {
    try ExpectedFailures(text, name: "known", ids: ids)
  }

  private static func item(_ id: String, _ verdict: CaseReport.Verdict) throws -> CaseReport {
    var item = try #require(try ComparisonReportTests.report([(id, [])]).cases.first)
    item.verdict = verdict
    return item
  }

  @Test func `a failure that is known on this host is an expected one, with the reason of the file`() throws {
    let known = try Self.read("# what 6.1 does not have\n\nipi.self.* kvm_intel/6.1.*   SVI is stale  \n")
    let judged = known.judged(try Self.item("ipi.self.xapic", .failed), on: Self.host)
    #expect(judged.verdict == .expectedFailure)
    #expect(judged.reason == "SVI is stale")
  }

  @Test func `a case that passes where it is known to fail has failed`() throws {
    let known = try Self.read("ipi.self.xapic * lost")
    let judged = known.judged(try Self.item("ipi.self.xapic", .passed), on: Self.host)
    #expect(judged.verdict == .failed)
    #expect(judged.reason == "it passed, and is expected to fail by known, line 1: lost")
  }

  @Test(arguments: ["kvm_amd/*", "kvm_intel/6.12.*", "kvm_intel"])
  func `what is known of other hosts says nothing of this one`(host: String) throws {
    let known = try Self.read("ipi.self.xapic \(host) lost")
    #expect(known.judged(try Self.item("ipi.self.xapic", .failed), on: Self.host).verdict == .failed)
    #expect(known.judged(try Self.item("msi.halted.xapic", .failed), on: Self.host).verdict == .failed)
  }

  @Test func `what this host cannot run stays skipped`() throws {
    let known = try Self.read("* * lost")
    #expect(known.judged(try Self.item("ipi.self.xapic", .skipped), on: Self.host).verdict == .skipped)
  }

  @Test(arguments: [
    ("ipi.self.xapic *", "line 1: it takes a case, a host and a reason, such as 'ipi.self.* kvm_intel/6.1.* lost'"),
    ("\nipi.slef * lost", "line 2: no case's id is like 'ipi.slef'; 'lapwing test --list' shows what there is"),
    ("\u{1b}[2J * lost", #"line 1: no case's id is like '\x1b[2J'; 'lapwing test --list' shows what there is"#),
    ("ipi.* * " + String(repeating: "x", count: 5000), "line 1: it has more than 4096 bytes"),
  ])
  func `a line that cannot be read is told by its number`(text: String, message: String) {
    let error = #expect(throws: ExpectedFailures.Malformed.self) { try Self.read(text) }
    #expect(error?.description == message)
  }

  @Test func `each format says expected failure in its own words`() throws {
    let report = SuiteReport(
      [try Self.item("ipi.self.xapic", .failed)].map { ($0, Self.host) }.map { item, host in
        (try? Self.read("ipi.* * lost"))?.judged(item, on: host) ?? item
      }, notRun: [], isInterrupted: false, host: Self.host, options: SuiteReport.Options(), sabotage: nil, duration: 1)
    #expect(report.success)
    #expect(report.totals.expectedFailures == 1)
    #expect(report.ktap.contains("\nok 1 ipi.self.xapic # XFAIL lost\n"))
    #expect(report.ktap.hasSuffix("# Totals: pass:0 fail:0 xfail:1 xpass:0 skip:0 error:0"))
    #expect(report.junit.contains(#"<skipped type="xfail" message="lost"/>"#))
    #expect(report.text().contains("failed as expected\n  ipi.self.xapic: lost\n"))
    #expect(report.text().contains("0 passed, 0 failed, 1 failed as expected, 0 skipped of 1 case"))
  }
}
