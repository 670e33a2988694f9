import APIC
import KVM
import MachineState
import Reports
import TestStates
import Testing

/// What a person reads.
@Suite struct InspectionTextTests {
  @Test func `a vCPU is its next interrupt, what waits, and its local APIC in the SDM's words`() {
    let text = Inspection(MadeUpMachine.busy(), vcpu: 0).text()
    for line in [
      "vCPU 0: runnable, x2APIC, APIC id 0, bootstrap processor",
      "  next            0x20 from the PIC, line 0",
      "  waits           0x8b, requested of the local APIC: class 8 of 0x8b is not above 0x80, which is in service",
      "  priority        TPR 0x00, PPR 0x80, APR 0x00: vectors up to 0x8f wait",
      "  IRR             {0x31, 0x70, 0x8b}  level-triggered: {0x31}",
      "  ISR             {0x41, 0x80}",
      "                  0x20 ................ .R..............",
      "                  0x40 .S.............. ................",
      "                  0x80 s..........r.... ................",
      "  IA32_APIC_BASE  0x00000000fee00d00  x2APIC at 0xfee00000, bootstrap processor",
      "  SVR             0x000001ff  enabled, spurious vector 0xff",
      "  LDR             0x00000001  cluster 0, members 0x0001",
      "  ICR             0x0000000100004060  Fixed 0x60 to physical 1 -> vCPU 1",
      "  LVT_TIMER       0x00020040  Fixed 0x40, periodic",
      "  LVT_LINT0       0x00000700  ExtINT 0x00, active high, edge",
      "  timer           periodic, vector 0x40: 4 ms left: 250000 of 1000000, divided by 16, every 16 ms",
    ] { #expect(text.split(separator: "\n").contains(Substring(line)), "\(line)") }
    #expect(!text.contains("vCPU 1:"))
    #expect(text.contains("  MSRs            IA32_TSC 0x000000003b9aca00\n"))
    #expect(!text.contains("IA32_TSC_DEADLINE"))
  }

  @Test func `a halted vCPU with interrupts off stays halted`() {
    let text = Inspection(MadeUpMachine.busy(), vcpu: 1).text()
    #expect(text.contains("vCPU 1: halted, x2APIC, APIC id 1\n  next            nothing: the vCPU stays halted\n"))
    #expect(text.contains("  waits           0x60, requested of the local APIC: RFLAGS.IF is 0\n"))
    #expect(text.contains("  timer           TSC-deadline, vector 0x41: 2 ms left, until the TSC is 0x3bd7d300\n"))
  }

  @Test func `the chips are tables, with masked pins that are alike on one line`() {
    let text = Inspection(MadeUpMachine.busy()).text()
    for line in [
      "  0-3    0x0000000000010000  Fixed 0x00 to physical 0, active high, edge, masked",
      "  4      0x0100000000000034  Fixed 0x34 to physical 1, active high, edge                 vCPU 1",
      "  9      0xff0000000000c831  Fixed 0x31 to logical 0xff, active high, level, remote IRR  every vCPU",
      "PIC: asks for line 0, vector 0x20; vCPU 0 listens",
      "  0     0x01  0xfa  0x00  0x00  0x20  0             IRR          no    no    no   none",
      "  0        rate generator               11932  1     10 ms   5 ms",
    ] { #expect(text.split(separator: "\n").contains(Substring(line)), "\(line)") }
  }

  @Test func `each GSI leads somewhere or says why not`() {
    let text = Inspection(MadeUpMachine.busy()).text()
    #expect(
      text.contains(#/\n  0 +IOAPIC +masked\n +PIC +vector 0x20, edge +requested +vCPU 0, by LINT0\n +raised by PIT\n/#)
    )
    #expect(text.contains(#/\n  5-8 +IOAPIC +masked\n +PIC +masked\n/#))
    #expect(text.contains(#/\n  24 +MSI +Fixed 0x70 to physical 255 +nobody\n +raised by irqfd 0\n/#))
  }

  @Test func `the modes of a local APIC are told apart`() {
    for (mode, words) in [(APICMode.disabled, "disabled"), (.xAPIC, "xAPIC"), (.x2APIC, "x2APIC")] {
      var state = MadeUpMachine.state(mode: .xAPIC)
      state.vcpus[0].specialRegisters.apicBase.mode = mode
      #expect(Inspection(state).text().contains("vCPU 0: runnable, \(words), APIC id 0"))
    }
    var state = MadeUpMachine.state()
    state.vcpus[0].localAPIC.spurious.isSoftwareEnabled = false
    #expect(Inspection(state).text().contains("APIC id 0, bootstrap processor, disabled by software"))
  }

  @Test func `the vAPIC's word is decoded, and compared with what KVM would write`() {
    var state = MadeUpMachine.state()
    state.vcpus[0].settings.vapicAddress = 0x50_0000
    state.vcpus[0].settings.reportsTPRAccesses = true
    state.vcpus[0].localAPIC.taskPriority = 0x40
    state.vcpus[0].localAPIC.inService = [0x63]
    state.vcpus[0].localAPIC.interruptRequest = [0x8b]
    func vapic(_ word: UInt32?) -> String {
      Inspection(state) { $0 == 0x50_0000 ? word : nil }.vcpus[0].vapic?.text ?? ""
    }
    #expect(vapic(0x8b00_6040) == "at 0x500000: 0x8b006040, TPR 0x40, in service class 6, requested 0x8b")
    #expect(vapic(0x8b00_6090).hasSuffix("; its TPR goes to the local APIC at the next exit"))
    #expect(vapic(0x0000_6040).hasSuffix("; the next entry writes 0x8b006040"))
    #expect(vapic(nil) == "at 0x500000; guest memory is not there to be read")
    #expect(Inspection(state).text().contains("accesses leave to user space (KVM_TPR_ACCESS_REPORTING)"))
    #expect(Inspection(state).vcpus[1].vapic == nil)
  }

  @Test func `a page alone tells its mode by its LDR, unless it is told`() {
    for mode in [APICMode.xAPIC, .x2APIC] {
      let page = MadeUpMachine.state(mode: mode).vcpus[1].localAPIC
      let inspection = Inspection(page: page)
      #expect(inspection.kind == .page)
      #expect(inspection.vcpus[0].mode == "\(mode)")
      #expect(inspection.vcpus[0].id == 1)
      #expect(inspection.text().hasPrefix("local APIC: \(mode), APIC id 1\n"))
    }
    #expect(Inspection(page: LocalAPICState(), mode: .x2APIC).vcpus[0].mode == "x2APIC")
    var narrow = MadeUpMachine.state().vcpus[1].localAPIC
    narrow[.id] = 1 << 24
    #expect(Inspection(page: narrow).vcpus[0].id == 1)
  }

  @Test func `a register is found by the SDM's name and by others, in any case`() {
    let inspection = Inspection(MadeUpMachine.busy())
    for name in ["LVT_TIMER", "lvt-timer", "LVTT"] {
      #expect(inspection.registers(named: name).map(\.owner) == ["vCPU 0", "vCPU 1"])
    }
    #expect(inspection.registers(named: "redtbl9").map(\.owner) == ["IOAPIC"])
    #expect(inspection.registers(named: "PIC 1 IMR").map(\.register.value) == ["0xff"])
    #expect(inspection.registers(named: "GSI24").map(\.register.value) == ["MSI Fixed 0x70 to physical 255"])
    #expect(inspection.registers(named: "nonsense").isEmpty)
  }

  @Test func `a register is shown field by field`() {
    let inspection = Inspection(MadeUpMachine.busy(), vcpu: 1)
    #expect(
      RegisterSelection(inspection.registers(named: "LVT_TIMER")).text() == """
        vCPU 1 LVT_TIMER: 0x00040041  Fixed 0x41, TSC-deadline
          LVT Timer Register
          7:0    Vector           0x41  0x41
          12     Delivery Status  0x0   idle
          16     Mask             0x0   not masked
          18:17  Timer Mode       0x2   TSC-deadline
        """)
  }
}
