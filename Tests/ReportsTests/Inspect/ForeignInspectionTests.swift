import APIC
import ForeignStates
import Reports
import Testing

/// States of which parts are not known: what is shown, and what is not.
@Suite struct ForeignInspectionTests {
  private func inspection(monitor text: String) throws -> Inspection {
    Inspection(try InspectableState(monitor: Array(text.utf8)))
  }

  private func lapic(_ cpu: Int, mode: String = "0x000400ec") -> String {
    """
    dumping local APIC state for CPU \(cpu)
    LVTT\t \(mode)
    Timer\t DCR=0x3 (divide by 16) initial_count = 62500 current_count = 1200
    SPIV\t 0x000001ff
    APR 0x00 TPR 0x00 DFR 0x0f LDR 0x0\(1 << cpu) PPR 0x00

    """
  }

  private let registers = """
    CPU#0
    RAX=0000000000000001 RBX=0000000000000000 RCX=0000000000000000 RDX=0000000000000000
    RIP=ffffffff81c00b2b RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1

    """

  private func pins(_ entry: String) -> String { "ioapic0: ver=0x20 id=0x00 sel=0x00\n  pin 4 \(entry)\n" }

  @Test func `a local APIC of which nothing is known has no timer and is not said to be off`() throws {
    let inspection = try inspection(monitor: registers + pins("0x0000000000000034"))
    let vcpu = inspection.vcpus[0]
    #expect(vcpu.timer == nil && vcpu.isSoftwareEnabled == nil && vcpu.interruptRequest == nil)
    #expect(inspection.lines.first { $0.gsi == 4 }?.ways.first?.recipients?.text == "vCPU 0")
    let text = inspection.text()
    #expect(!text.contains("one-shot") && !text.contains("disabled by software"))
    #expect(text.contains("not known: the IRR is not in this file"))
  }

  @Test func `a deadline that the text does not have is not known to be none`() throws {
    #expect(try inspection(monitor: lapic(0)).vcpus[0].timer?.phase == .notKnown)
    #expect(try inspection(monitor: lapic(0, mode: "0x000000ec")).vcpus[0].timer?.phase == .running)
    #expect(Inspection(page: deadlinePage).vcpus[0].timer?.phase == .notKnown)
  }

  @Test func `what one of two texts does not have is left out, whichever vCPU it is of`() throws {
    let running = registers.replacing("HLT=1", with: "HLT=0")
    let other = { (text: String) in text.replacing("CPU#0", with: "CPU#1") }
    let first = try InspectableState(monitor: Array((registers + other(running)).utf8))
    let second = try InspectableState(monitor: Array((running + other(registers)).utf8))
    let report = DifferenceReport(first, second)
    #expect(report.same, "\(report.differences)")
    #expect(
      report.leftOut?.map { [$0.owner, $0.lackedBy] + $0.names }
        == [["vCPU 0", "second", "MP_STATE"], ["vCPU 1", "first", "MP_STATE"]])
  }

  private var deadlinePage: LocalAPICState {
    var page = LocalAPICState()
    page.setLVT(.timer, to: .timer(0x40, mode: .tscDeadline))
    return page
  }

  @Test(arguments: [0, 1, 2]) func `a pin leads to the vCPU whose number QEMU's destination is`(id: Int) throws {
    let text = lapic(0) + lapic(1) + lapic(2) + pins("0x0\(id)00000000000034")
    let ways = try inspection(monitor: text).lines.first { $0.gsi == 4 }?.ways
    #expect(ways?.first?.recipients?.text == "vCPU \(id)")
    // Of one processor alone, too.
    let alone = try inspection(monitor: lapic(id) + pins("0x0\(id)00000000000034"))
    #expect(alone.lines.first { $0.gsi == 4 }?.ways.first?.recipients?.text == "vCPU 0")
    let logical = try inspection(monitor: lapic(0) + lapic(1) + lapic(2) + pins("0x0\(1 << id)00000000000834"))
    #expect(logical.lines.first { $0.gsi == 4 }?.ways.first?.recipients?.text == "vCPU \(id)")
  }
}
