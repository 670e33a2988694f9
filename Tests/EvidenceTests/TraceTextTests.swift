import APIC
import Testing

@testable import Evidence

/// Lines of a trace, as the kernel writes them.
@Suite struct TraceTextTests {
  /// A line with everything before the event's text, in the layout of trace_pipe.
  static func line(_ text: String, command: String = "vcpu 1") -> String {
    String(repeating: " ", count: 16 - command.utf8.count) + "\(command)-4711    [001] d..1. 123456789: \(text)"
  }

  static func event(_ line: String) -> TraceEvent? {
    let bytes = Array(line.utf8)
    return TraceEvent(bytes.span, line: bytes.indices)
  }

  static func detail(_ text: String) -> TraceEvent.Detail? { event(line(text))?.detail }

  @Test func `a line is taken apart into thread, processor, time and text`() throws {
    let event = try #require(Self.event(Self.line("kvm_apic_accept_irq: apicid 1f vec 82 (Fixed|edge)")))
    #expect(event.thread == 4711)
    #expect(event.processor == 1)
    #expect(event.time == 123_456_789)
    #expect(event.name == "kvm_apic_accept_irq")
    #expect(event.detail == .accepted(vcpuID: 0x1f, vector: 0x52, mode: "Fixed"))
  }

  @Test(arguments: ["a-1 [000] b", "x: y: z", "-", "1234567890123456", "ä"])
  func `a command's name may look like anything`(command: String) {
    let line = Self.line("kvm_eoi: apicid 0 vector 82", command: command)
    #expect(Self.event(line)?.thread == 4711)
  }

  @Test func `a time in seconds becomes nanoseconds, and process ids and missing flags do no harm`() {
    let line = "          vcpu 0-12      (   10) [000]    12.000345: kvm_eoi: apicid 0 vector 82"
    #expect(Self.event(line)?.time == 12_000_345_000)
  }

  @Test(arguments: [
    (
      "kvm_apicv_accept_irq: apicid 1 vec 82 (Fixed|edge)",
      TraceEvent.Detail.acceptedByHardware(vcpuID: 1, vector: 0x52, mode: "Fixed")
    ),
    ("kvm_inj_virq: IRQ 0x52", .injected(vector: 0x52, isReinjected: false)),
    ("kvm_inj_virq: IRQ 0x52 [reinjected]", .injected(vector: 0x52, isReinjected: true)),
    ("kvm_inj_virq: irq 82", .injected(vector: 0x52, isReinjected: false)),
    ("kvm_inj_virq: Soft/INTn 0x80", .other("Soft/INTn 0x80")),
    ("kvm_eoi: apicid 1 vector 82", .endOfInterrupt(vcpuID: 1, vector: 0x52)),
    ("kvm_eoi: apicid 1 vector -1", .endOfInterrupt(vcpuID: 1, vector: nil)),
    ("kvm_apic_ipi: dst 1 vec 80 (Fixed|physical|assert|edge|dst)", .ipi(vector: 0x50)),
    ("kvm_set_irq: gsi 20 level 1 source 0", .line(gsi: 20, isHigh: true)),
    ("kvm_set_irq: gsi 20 level 0 source 0", .line(gsi: 20, isHigh: false)),
    ("kvm_ack_irq: irqchip IOAPIC pin 20", .acknowledged(pin: 20)),
    ("kvm_ack_irq: irqchip PIC master pin 4", .other("irqchip PIC master pin 4")),
    ("kvm_msi_set_irq: dst 1 vec 112 (Fixed|physical|edge)", .message(destination: 1, vector: 0x70)),
    (
      "kvm_ioapic_set_irq: pin 4 dst ff vec 49 (LowPrio|logical|level)",
      .ioapic(pin: 4, vector: 0x31, isMasked: false, isCoalesced: false)
    ),
    (
      "kvm_ioapic_set_irq: pin 4 dst 0 vec 49 (Fixed|physical|edge|masked) (coalesced)",
      .ioapic(pin: 4, vector: 0x31, isMasked: true, isCoalesced: true)
    ),
    (
      "kvm_apicv_inhibit_changed: set reason=6, inhibits=0x41 DISABLED|APIC_ID_MODIFIED",
      .inhibit(isSet: true, reason: 6, inhibits: 0x41)
    ),
    ("kvm_apicv_inhibit_changed: cleared reason=6, inhibits=0x0", .inhibit(isSet: false, reason: 6, inhibits: 0)),
    ("kvm_vcpu_wakeup: wait time 12345 ns, polling valid", .wokenUp(hadSlept: true)),
    ("kvm_vcpu_wakeup: poll time 0 ns, polling valid", .wokenUp(hadSlept: false)),
    ("kvm_pic_set_irq: chip 0 pin 4 (edge)", .other("chip 0 pin 4 (edge)")),
  ])
  func `an event's text is understood`(text: String, expected: TraceEvent.Detail) {
    #expect(Self.detail(text) == expected)
  }

  @Test(arguments: [
    "kvm_apic_accept_irq: apicid 1 vec 256 (Fixed|edge)", "kvm_apic_accept_irq: apicid 1 vec 82",
    "kvm_apic_accept_irq:", "kvm_inj_virq: IRQ 0x1ff", "kvm_inj_virq: Nonsense 0x10", "kvm_eoi: apicid vector",
    "kvm_ioapic_set_irq: pin vec 49 (Fixed)", "kvm_apicv_inhibit_changed: set reason=x, inhibits=0x1",
    "kvm_vcpu_wakeup: never", "sched_switch: prev_comm=x", "kvm_made_up: apicid 1",
  ])
  func `text of another format is no event`(text: String) {
    #expect(Self.detail(text) == nil)
  }

  @Test(arguments: [
    "kvm_apic_accept_irq: apicid 1f vec 82 (Fixed|edge)", "kvm_inj_virq: IRQ 0x52 [reinjected]",
    "kvm_ioapic_set_irq: pin 4 dst 0 vec 49 (Fixed|physical|edge|masked) (coalesced)",
    "kvm_apicv_inhibit_changed: set reason=6, inhibits=0x41 DISABLED|APIC_ID_MODIFIED",
    "kvm_vcpu_wakeup: wait time 12345 ns, polling valid", "kvm_set_irq: gsi 4 level 1 source 0",
  ])
  func `a line that is cut anywhere, or misses any byte, is an event or is counted as none`(text: String) {
    let line = Array(Self.line(text).utf8)
    for place in line.indices {
      for mangled in [Array(line[..<place]), Array(line[..<place] + line[(place + 1)...])] where !mangled.isEmpty {
        let trace = TraceText(parsing: mangled)
        #expect(trace.events.count + trace.unknownLines == 1)
      }
    }
    #expect(TraceText(parsing: line).events.count == 1)
  }

  @Test func `lines that mean nothing and events that were lost are counted`() {
    let text = [
      "# tracer: nop", "#", Self.line("kvm_eoi: apicid 0 vector 82"), "CPU:1 [LOST 12 EVENTS]", "CPU:0 [LOST EVENTS]",
      "garbage", "                -1 [", Self.line("kvm_eoi: apicid 0 vector 83"),
    ].joined(separator: "\n")
    let trace = TraceText(parsing: Array(text.utf8))
    #expect(trace.events.count == 2)
    #expect(trace.lost == 13)
    #expect(trace.unknownLines == 2)
  }

  @Test func `a text takes as many events as it may, and counts the others as lost`() {
    let line = Self.line("kvm_eoi: apicid 1 vector 82") + "\n"
    let three = TraceText(parsing: Array((line + line + line).utf8))
    var text = TraceText()
    text.append(three, keeping: 4)
    text.append(three, keeping: 4)
    text.append(three, keeping: 4)
    #expect(text.events.count == 4)
    #expect(text.lost == 5)
    text.append(three)
    #expect(text.events.count == 7)
  }
}
