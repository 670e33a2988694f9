import APIC
import Evidence
import KVM
import Support
import SystemPackage
import Testing

@testable import Reports
@testable import Watch

/// What a person reads of a machine that is watched.
@Suite struct WatchReportTests {
  private static func report(
    _ interrupts: [InterruptCount] = [], inForce: UInt64? = nil, apicv state: HostFeature.State = .available,
    program: String = "vmm", filter: WatchFilter = WatchFilter(), _ change: (inout WatchInterval) -> Void = { _ in }
  ) -> WatchReport {
    let machine = ForeignMachine(
      process: 10, descriptor: 9, program: program, vcpus: [ForeignVCPU(id: 0, thread: 100)], folder: "/nonexistent")
    var interval = WatchInterval(machine)
    interval.length = 1_000_000_000
    interval.interrupts = interrupts
    interval.inhibits.inForce = inForce
    change(&interval)
    let context = WatchReport.Context(
      inhibitNames: InhibitNames(["DISABLED", "HYPERV", "ABSENT", "BLOCKIRQ"]),
      apicv: HostFeature(.apicv, state, evidence: "so the module says"))
    return WatchReport(interval, context, filter: filter)
  }

  private static func count(_ vector: Vector, _ change: (inout InterruptCount) -> Void) -> InterruptCount {
    var count = InterruptCount(vcpu: 0, vector: vector)
    change(&count)
    return count
  }

  private func text(_ report: WatchReport, rows: Int? = nil) -> String { report.lines(rows: rows).text }

  @Test func `an inhibit is named, with its cause and what to do`() {
    let text = text(Self.report(inForce: 1 << 3))
    #expect(text.contains("inhibited") && text.contains("BLOCKIRQ holds"))
    #expect(text.contains("single-steps") && text.contains("what to do: detach the debugger"))
  }

  @Test func `an inhibit whose number is not known is shown by its number`() {
    #expect(text(Self.report(inForce: 1 << 40)).contains("reason 40, which is not known here holds"))
  }

  @Test func `a machine uses APICv where interrupts go to the hardware or nothing inhibits it any more`() {
    #expect(Self.report([Self.count(0x41) { $0.posted = 1 }]).apicv.state == .active)
    #expect(Self.report(inForce: 0).apicv.state == .active)
    #expect(Self.report().apicv.state == .unknown)
  }

  @Test func `software that injects on a host with APICv means an inhibit that was set before`() {
    let report = Self.report([Self.count(0x41) { ($0.accepted, $0.injected) = (5, 5) }])
    #expect(report.apicv.state == .inhibited && report.apicv.inForce == nil)
    #expect(text(report).contains("was set before the machine was watched"))
  }

  @Test func `local APICs that are not the kernel's inhibit it by their absence`() {
    let report = Self.report { $0.machine.hasKernelLocalAPIC = false }
    #expect(report.apicv.inForce?.map(\.name) == ["ABSENT"])
  }

  @Test func `without APICv what has ended was injected, which is concluded, and what has not is not known`() {
    let ended = Self.count(0x41) { ($0.accepted, $0.ways.ended) = (5, 5) }
    let open = Self.count(0x42) { ($0.accepted, $0.ways.unknown) = (5, 5) }
    let report = Self.report([ended, open], apicv: .missing)
    #expect(report.apicv.state == .unavailable)
    #expect(report.interrupts.map(\.concludedWay) == [.software, nil])
    #expect(report.interrupts.map(\.way) == ["injected (concluded)", "not known"])
    #expect(Self.report([ended]).interrupts.map(\.way) == ["delivered, not known how"])
  }

  @Test func `exits that are the interrupts' doing are counted, with writes to the x2APIC, and for each interrupt`() {
    let report = Self.report([Self.count(0x41) { $0.accepted = 10 }]) { interval in
      interval.exits = [(1, 30), (32, 20), (48, 50)].map { number, count in
        WatchInterval.Exit(reason: ExitReason(number: number, architecture: 1), count: count)
      }
      interval.x2APICWrites = 10
    }
    #expect(report.exitCount == 100 && report.interruptExits == 40 && report.exitsPerInterrupt == 4)
    #expect(text(report).contains("40 % of them the interrupts' doing, 4.00 for each"))
  }

  @Test func `a filter leaves out rows, and no sum`() {
    let counts = ([0x41, 0x42] as [Vector]).map { Self.count($0) { $0.accepted = 10 } }
    let report = Self.report(counts, filter: WatchFilter(vectors: [0x41])) { interval in
      interval.exits = [WatchInterval.Exit(reason: ExitReason(number: 1, architecture: 1), count: 40)]
    }
    #expect(report.interrupts.map(\.vector) == [0x41] && report.accepted == 20)
    #expect(text(report).contains("20 interrupts/s") && text(report).contains("2.00 for each"))
  }

  @Test func `thousands of vectors fit into the lines that there are, the most frequent first`() {
    let counts = (16...UInt8.max).map { vector in Self.count(Vector(rawValue: vector)) { $0.accepted = UInt64(vector) }
    }
    let lines = Self.report(counts).lines(rows: 24)
    #expect(lines.count <= 24)
    #expect(lines.text.contains("0xff") && !lines.text.contains("0x20") && lines.text.contains("more"))
    #expect(Self.report(counts).lines().count > 240)
  }

  @Test func `a name that a process gave itself does nothing to a terminal`() {
    let text = text(Self.report(program: "a\u{1b}[2Jb\nc"))
    #expect(!text.contains("\u{1b}") && text.contains(#"a\x1b[2Jb\nc"#))
  }

  @Test func `interrupts whose acceptance was on no recorded thread are said to be, and one that was under way is not`()
  {
    let unseen = Self.count(0x41) { ($0.accepted, $0.injected) = (3, 10) }
    let underWay = Self.count(0x42) { ($0.accepted, $0.injected, $0.ended) = (3, 4, 4) }
    #expect(text(Self.report([unseen, underWay])).contains("7 interrupts were accepted unseen"))
    #expect(!text(Self.report([underWay])).contains("unseen"))
  }

  @Test func `what is lost and what is ambiguous is said`() {
    let text = text(
      Self.report {
        $0.lost = 7
        $0.ambiguous = 3
      })
    #expect(text.contains("7 events were lost") && text.contains("3 events were left out"))
  }
}
