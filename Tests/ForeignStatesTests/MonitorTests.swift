import APIC
import ForeignStates
import KVM
import MachineState
import Testing

/// The text of QEMU's monitor.
@Suite struct MonitorTests {
  private func read(_ text: String, as source: StateSource? = nil) throws -> InspectableState {
    var reader = StateReader(ByteSource(Array(text.utf8)), as: source)
    return try reader.read().state
  }

  private func lapic(_ cpu: Int, isr: String = "(none)", irr: String = "(none)") -> String {
    """
    (qemu) info lapic \(cpu)
    dumping local APIC state for CPU \(cpu)\u{20}

    LVT0\t 0x00018700 active-hi level  masked                      ExtINT (vec 0)
    LVT1\t 0x00000400 active-hi edge                               NMI
    LVTPC\t 0x00010000 active-hi edge  masked                      Fixed  (vec 0)
    LVTERR\t 0x000000fe active-hi edge                              Fixed  (vec 254)
    LVTTHMR\t 0x00010000 active-hi edge  masked                      Fixed  (vec 0)
    LVTT\t 0x000400ec active-hi edge                 tsc-deadline Fixed  (vec 236)
    Timer\t DCR=0x3 (divide by 16) initial_count = 62500 current_count = 1200
    SPIV\t 0x000001ff APIC enabled, focus=off, spurious vec 255
    ICR\t 0x000000fd physical edge de-assert no-shorthand
    ICR2\t 0x00000001 cpu 1 (X2APIC ID)
    ESR\t 0x00000000
    ISR\t \(isr)
    IRR\t \(irr)

    APR 0x00 TPR 0x20 DFR 0x0f LDR 0x01 PPR 0x30

    """
  }

  private let pic = """
    ioapic0: ver=0x20 id=0x02 sel=0x16
      pin 0  0x0000000000010000 dest=0 vec=0   active-hi edge  masked fixed  physical
      pin 11 0x010000000000c051 dest=1 vec=81  active-hi level remote-irr fixed  physical
      IRR      11
      Remote IRR 11
    pic1: irr=00 imr=ff isr=00 hprio=0 irq_base=28 rr_sel=0 elcr=0c fnm=0
    pic0: irr=01 imr=fb isr=04 hprio=0 irq_base=20 rr_sel=1 elcr=00 fnm=1
    """

  private let registers = """
    CPU#1
    RAX=0000000000000001 RBX=0000000000000000 RCX=0000000000000000 RDX=0000000000000000
    R8 =0000000000000008 R9 =0000000000000009 R10=0000000000000010 R11=0000000000000000
    RIP=ffffffff81c00b2b RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1
    ES =0000 0000000000000000 ffffffff 00c00000
    CS =0010 0000000000000000 ffffffff 00a09b00 DPL=0 CS64 [-RA]
    IDT=     fffffe0000000000 00000fff
    CR0=80050033 CR2=00007f0000000000 CR3=0000000002a0a000 CR4=000006f0
    EFER=0000000000000d01
    """

  @Test func `local APICs are read with their vectors and trigger modes`() throws {
    let state = try read(lapic(0, isr: "81(level) ", irr: "48 236 "))
    let vcpu = state.vcpus[0]
    #expect(vcpu.inService == [0x51])
    #expect(vcpu.interruptRequest == [0x30, 0xec])
    #expect(vcpu.values.localAPIC.triggerModes == [0x51])
    #expect(vcpu.triggerModes == nil)
    #expect(vcpu.lvt(.timer)?.timerMode == .tscDeadline)
    #expect(vcpu[.currentCount] == 1200)
    #expect(vcpu[.processorPriority] == 0x30)
    #expect(vcpu.id == nil && vcpu.apicBase == nil && vcpu.deadline == nil)
  }

  @Test func `several of them, chips and registers may stand in one text with other lines around`() throws {
    let text = "Hello,\nthis is what I see:\n> EFL is odd\n" + lapic(1) + registers + "\nthanks\n" + lapic(0) + pic
    let state = try read(text)
    #expect(state.vcpus.count == 2)
    #expect(state.vcpus[1].registers?.rip == 0xffff_ffff_81c0_0b2b)
    #expect(state.vcpus[1].registers?.r9 == 9)
    #expect(state.vcpus[1].mpState == .halted)
    #expect(state.vcpus[1].allowsInterrupts == true)
    #expect(state.vcpus[1].values.specialRegisters.cs.l == 1)
    #expect(state.vcpus[0].registers == nil && state.vcpus[0].mpState == nil)
    #expect(state.ioapic?.entries[11].remoteIRR == true)
    #expect(state.ioapic?.irr == 1 << 11)
    #expect(state.pics?.master.isr == 4)
    #expect(!state.knows(.allVCPUs) && !state.knows(.picDetails))
  }

  @Test func `one processor of many is told by QEMU's number`() throws {
    let state = try read(lapic(7))
    #expect(state.vcpus.count == 1)
    #expect(state.remarks == ["vCPU 0 is QEMU's CPU 7"])
  }

  @Test func `a text of more lines than any machine has is refused`() throws {
    let text = String(repeating: "RAX=\n", count: 600_000)
    let error = try #require(throws: ForeignStateError.self) { try read(text.replacing("=", with: " "), as: .monitor) }
    #expect(error.problem.contains("lines of the monitor's"))
    #expect(throws: ForeignStateError.self) { try read(String(repeating: "\n", count: 600_000)) }
  }

  @Test func `a damaged line is refused with its place`() throws {
    let text = lapic(0).replacing("0x00018700", with: "0xzz")
    let error = try #require(throws: ForeignStateError.self) { try read(text) }
    #expect(error.format == .monitor)
    #expect(error.offset == UInt64(try #require(text.firstRange(of: "LVT0")).lowerBound.utf16Offset(in: text)))
    for bad in ["pic0: irr=01", "dumping local APIC state for CPU 99999", "CPU#"] {
      #expect(throws: ForeignStateError.self) { try read(bad, as: .monitor) }
    }
    #expect(throws: ForeignStateError.self) { try read("nothing of the kind\n") }
  }
}
