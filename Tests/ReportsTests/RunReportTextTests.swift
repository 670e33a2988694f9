import APIC
import KVM
import MachineState
import Support
import Testing
import VMM

@testable import Reports
@testable import VMM

/// What a person reads at the end of a run, and while it runs.
@Suite struct RunReportTextTests {
  @Test func `the summary of a run in which everything happened`() throws {
    #expect(
      try RunReport.madeUp().text() == """

        interrupts taken
          vector  vCPU 0  vCPU 1   first     last
          0x30         3       1  1.5 ms   2.5 ms
          0xf1         0      12  3.0 ms  11.00 s

        statistics
                      vCPU 0  vCPU 1
          exits           10       7
          halt_exits       1       2

        note: 2 accesses to unclaimed port: vCPU 0 read 1 byte at 0x80; vCPU 1 wrote 2 bytes at 0x70
        note: 1 access to unclaimed memory: vCPU 0 read 4 bytes at 0xd0000000
        note: the driver of virtio0 broke its queue: it is a loop
        note: the console's limit was reached: 5 bytes are lost
        note: the guest's log was full: 4 records are lost
        made-up: FAILED; the guest finished; 1 of 2 checks failed: once; exception 13, error code 0x18, at 0x100020; first instruction after 0.9 ms; \
        ended after 12.3 ms
        """)
  }

  @Test func `of a run that did not end by itself it is told where each vCPU stood`() throws {
    var report = try RunReport.madeUp()
    report.outcome = OutcomeReport(.timeLimit)
    var vcpu = VCPUState()
    vcpu.mpState = .halted
    report.failure = FailureSituation(
      vcpus: [
        FailureSituation.VCPU(
          vcpu: 0, state: .halted, address: 0x10_001e, place: "main+0x1e", code: "f4 eb fd",
          delivery: DeliveryReport(vcpu), timer: TimerReport(vcpu, busCycle: 1),
          missingHandler: "no handler for interrupt 0x77: the IDT ends before it, with its limit 0x6ff")
      ], lines: [])
    #expect(
      report.text().contains(
        """
        where it stood
          vCPU 0 halted at main+0x1e, 0x10001e: f4 eb fd
            no handler for interrupt 0x77: the IDT ends before it, with its limit 0x6ff
            next: nothing: the vCPU stays halted
            timer: one-shot, vector 0x00: stopped

        vCPU 0: halted
          rip 0x0000000000100005  rsp 0x0000000000000000  rflags 0x0000000000000000
          rax 0x0000000000001234  rbx 0x0000000000000000  rcx 0x0000000000000000  rdx 0x0000000000000000
          rsi 0x0000000000000000  rdi 0x0000000000000000  rbp 0x0000000000000000  r8  0x0000000000000000
          r9  0x0000000000000000  r10 0x0000000000000000  r11 0x0000000000000000  r12 0x0000000000000000
          r13 0x0000000000000000  r14 0x0000000000000000  r15 0x0000000000000000
          cr0 0x0000000000000000  cr2 0x0000000000000000  cr3 0x0000000000000000  cr4 0x0000000000000000
          cr8 0x0000000000000000  efer 0x0000000000000000  cs  0x0000000000000008  cs.base 0x0000000000000000
          local APIC 0: x2APIC, enabled, TPR 0x10, PPR 0x30
          IRR {0x31, 0x41}, ISR {0x30}
          timer count 250 of 1000
          LVT error: masked
          LVT timer: Fixed 0x41

        """))
  }

  @Test func `an interrupt without a handler is called that, with the function that it came to`() throws {
    var report = try RunReport.madeUp()
    var record = RecordReport(
      GuestRecord(event: .exception(0x77, errorCode: 0, instruction: 0x10_001e), vcpu: 0, tsc: 1), time: 1)
    record.place = "main+0x1e"
    report.records = [record]
    #expect(report.text().contains("; no handler for interrupt 0x77 at main+0x1e, 0x10001e; "))
  }

  @Test func `with all statistics every name has a row, the machine's after the vCPUs'`() throws {
    let rows = """
                     vCPU 0  vCPU 1
        exits            10       7
        halt_exits        1       2
        l1d_flush         0       0
        vm pages_4k      12

      """
    #expect(try RunReport.madeUp().text(allStatistics: true).contains("statistics\n" + rows))
  }

  @Test func `with colour the same text carries escape codes and nothing else`() throws {
    let report = try RunReport.madeUp()
    let colored = report.text(Style(hasColor: true))
    #expect(colored.contains("\u{1b}[31mFAILED\u{1b}[0m"))
    #expect(colored.contains("\u{1b}[33mnote: \u{1b}[0m"))
    #expect(colored.contains("\u{1b}[1mstatistics\u{1b}[0m"))
    #expect(colored.replacing(/\u{1b}\[\d+m/, with: "") == report.text())
    #expect(!report.text().contains("\u{1b}"))
  }

  @Test func `a run without anything to note is short`() throws {
    var report = try RunReport.madeUp()
    report.success = true
    report.checks.removeLast()
    (report.interrupts, report.unclaimed, report.brokenQueues, report.vcpus) = ([], [], nil, [])
    (report.droppedRecords, report.console.droppedBytes, report.times.firstInstruction) = (0, 0, nil)
    #expect(
      report.text() == """

        statistics
                      vCPU 0  vCPU 1
          exits           10       7
          halt_exits       1       2

        made-up: passed; the guest finished; 1 check held; ended after 12.3 ms
        """)
  }

  @Test func `records read as lines, interrupts as none`() throws {
    let lines = try RunReport.madeUp().records.map { $0.line() }
    #expect(
      lines == [
        "    1.0 ms  vCPU 0  start", nil, "    3.0 ms  vCPU 0    ok     it arrives",
        "    4.0 ms  vCPU 1    FAILED once (saw 2)", "    5.0 ms  vCPU 0    cycles: 77",
        "    6.0 ms  vCPU 1  exception 13, error code 0x18, at 0x100020",
        "    7.0 ms  vCPU 0  a record of unknown kind 9",
      ])
  }

  @Test func `in colour a failed check stands out`() throws {
    let line = try #require(RunReport.madeUp().records[3].line(Style(hasColor: true))).text
    #expect(line.contains("\u{1b}[31mFAILED\u{1b}[0m"))
    #expect(line.contains("\u{1b}[2m"))
  }

  @Test func `a machine in a line`() throws {
    var machine = try RunReport.madeUp().machine
    #expect(machine.text == "2 vCPUs, 64 MiB, x2APIC, split irqchip, kvm_intel")
    (machine.vcpus, machine.apic, machine.irqchip) = (1, .xAPIC, .kernel)
    #expect(machine.text == "1 vCPU, 64 MiB, xAPIC, irqchip in the kernel, kvm_intel")
  }
}
