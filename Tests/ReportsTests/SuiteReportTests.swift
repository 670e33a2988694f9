import Foundation
import Testing

@testable import Reports

@Suite struct SuiteReportTests {
  @Test func `the text has failures in full, skips by reason and totals`() throws {
    #expect(
      try SuiteReport.madeUp().text() == """
        FAILED msi.halted.x2apic: An MSI wakes a halted vCPU
          count: expected 1 < 2, saw "0"
          1 of 2 runs failed; this is run 2
          interrupts taken: vCPU 1 0x70 x 3
          statistics
                            vCPU 0  vCPU 1
            exits               10      12
            irq_injections       0       3
          exercises: kvm_set_msi
          alone: lapwing test msi.halted.x2apic

        skipped
            2  posted interrupts: there are none: apicv.one.xapic, apicv.two

        not run: 1 case, from tpr.cr8 on

        1 passed, 1 FAILED, 2 skipped, 1 not run of 5 cases, 8 of 10 runs in 12.0 ms; interrupted
        """)
  }

  @Test func `KTAP has a plan, a result a case, and diagnostics before the result that they belong to`() throws {
    #expect(
      try SuiteReport.madeUp().ktap == """
        KTAP version 1
        1..5
        # host: Linux 6.18.0, back end kvm_intel
        # ipi.self.xapic: latency: 3 us
        ok 1 ipi.self.xapic
        # FAILED msi.halted.x2apic: An MSI wakes a halted vCPU
        #   count: expected 1 < 2, saw "0"
        #   1 of 2 runs failed; this is run 2
        #   interrupts taken: vCPU 1 0x70 x 3
        #   statistics
        #                     vCPU 0  vCPU 1
        #     exits               10      12
        #     irq_injections       0       3
        #   exercises: kvm_set_msi
        #   alone: lapwing test msi.halted.x2apic
        not ok 2 msi.halted.x2apic
        ok 3 apicv.one.xapic # SKIP posted interrupts: there are none
        ok 4 apicv.two # SKIP posted interrupts: there are none
        # not run: tpr.cr8
        # Totals: pass:1 fail:1 xfail:0 xpass:0 skip:2 error:1
        """)
  }

  @Test func `JUnit has a test suite a family, and escapes what XML asks for`() throws {
    let lines = try SuiteReport.madeUp().junit.split(separator: "\n").map(String.init)
    #expect(lines[0] == #"<?xml version="1.0" encoding="UTF-8"?>"#)
    #expect(lines[1] == #"<testsuites name="lapwing test" tests="4" failures="1" errors="0" skipped="2" time="0.012">"#)
    #expect(lines.contains(#"  <testsuite name="apicv" tests="2" failures="0" errors="0" skipped="2" time="0.000">"#))
    #expect(lines.contains(#"      <skipped message="posted interrupts: there are none"/>"#))
    #expect(lines.contains(#"      <system-out>latency: 3 us</system-out>"#))
    #expect(
      lines.contains { $0.hasPrefix(#"      <failure message="count: expected 1 &lt; 2, saw &quot;0&quot;">FAILED"#) })
    #expect(lines.last == "</testsuites>")
  }

  @Test func `JUnit is well-formed whatever a message has in it`() throws {
    var report = try SuiteReport.madeUp()
    report.cases[1].reason = "\u{1b}[31m]]> & <b> \u{0} \"'\nnext \u{ffff}"
    #expect(!report.junit.unicodeScalars.contains { $0.value < 32 && $0 != "\n" && $0 != "\t" })
    #expect(report.junit.contains("message=\"\u{fffd}[31m]]&gt; &amp; &lt;b&gt; \u{fffd} &quot;'&#10;next \u{fffd}\""))
  }

  @Test func `a reason on several lines does not break KTAP`() throws {
    var report = try SuiteReport.madeUp()
    report.cases[2].reason = "one\nnot ok 9 two"
    #expect(report.ktap.contains("\nok 3 apicv.one.xapic # SKIP one\\nnot ok 9 two\n"))
    report.cases[1].reason = "one\nnot ok 9 two"
    #expect(!report.ktap.contains("\nnot ok 9"))
  }

  @Test func `the JSON document comes back as it went`() throws {
    let report = try SuiteReport.madeUp()
    let text = try JSONDocument.text(report)
    let again = try JSONDecoder().decode(SuiteReport.self, from: Data(text.utf8))
    #expect(try JSONDocument.text(again) == text)
    #expect(again.totals == SuiteReport.Totals(passed: 1, failed: 1, skipped: 2, notRun: 1, runs: 8))
    #expect(!again.success && again.isInterrupted)
    #expect(text.contains(#""schema" : "lapwing.test/1""#))
  }
}

extension SuiteReport {
  /// An interrupted suite in which something of everything happened.
  static func madeUp() throws -> SuiteReport {
    let skip = "posted interrupts: there are none"
    var passed = CaseReport.madeUp("ipi.self.xapic", "An IPI arrives", .passed)
    passed.figures = [CaseReport.Figure(name: "latency", value: "3 us")]
    var failed = CaseReport.madeUp(
      "msi.halted.x2apic", "An MSI wakes a halted vCPU", .failed, "count: expected 1 < 2, saw \"0\"")
    failed.exercises = ["kvm_set_msi"]
    failed.failedRuns = 1
    failed.failure = FailureReport(
      round: 2, message: failed.reason ?? "",
      interrupts: [FailureReport.InterruptCount(vcpu: 1, vector: 0x70, count: 3)],
      counters: [
        ["exits": 10, "irq_injections": 0, "pf_taken": 1], ["exits": 12, "irq_injections": 3, "pf_taken": 1],
      ],
      vcpus: [])
    return SuiteReport(
      [
        passed, failed, .madeUp("apicv.one.xapic", "One", .skipped, skip), .madeUp("apicv.two", "Two", .skipped, skip),
      ], notRun: ["tpr.cr8"], isInterrupted: true, host: Host(kernel: "6.18.0", backEnd: "kvm_intel"),
      options: Options(rounds: 2), sabotage: nil, duration: 12_000_000)
  }
}

extension CaseReport {
  fileprivate static func madeUp(
    _ id: String, _ title: String, _ verdict: Verdict, _ reason: String? = nil
  ) -> CaseReport {
    CaseReport(
      id: id, family: String(id.prefix { $0 != "." }), title: title, exercises: [], verdict: verdict, reason: reason,
      runs: 2, failedRuns: 0, duration: verdict == .skipped ? 0 : 1_500_000, figures: [], failure: nil,
      command: "lapwing test \(id)")
  }
}
