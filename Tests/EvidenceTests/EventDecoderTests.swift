import APIC
import TestImages
import Testing

@testable import Evidence

/// Events in binary, by the formats of several kernels.
@Suite struct EventDecoderTests {
  private func decode(_ decoder: EventDecoder, _ page: [UInt8]) -> (events: [TraceEvent], summary: EventDecoder.Summary)
  {
    var events: [TraceEvent] = []
    let summary = unsafe decoder.decode(page.span.bytes, into: &events)
    return (events, summary)
  }

  /// What each tracepoint's fields say.
  private static let samples: [(String, [String: UInt64], TraceEvent.Detail?)] = [
    (
      "kvm_apic_accept_irq", ["apicid": 0x1f, "vec": 0x52, "dm": 0], .accepted(vcpuID: 0x1f, vector: 0x52, mode: .fixed)
    ),
    ("kvm_apic_accept_irq", ["apicid": 1, "vec": 8, "dm": 0x600], .accepted(vcpuID: 1, vector: 8, mode: .startUp)),
    ("kvm_apic_accept_irq", ["apicid": 1, "vec": 8, "dm": 0x300], .accepted(vcpuID: 1, vector: 8, mode: nil)),
    (
      "kvm_apicv_accept_irq", ["apicid": 1, "vec": 0x52, "dm": 0x100],
      .acceptedByHardware(vcpuID: 1, vector: 0x52, mode: .lowestPriority)
    ),
    ("kvm_inj_virq", ["vector": 0x52], .injected(vector: 0x52, isReinjected: false)),
    ("kvm_inj_virq", ["vector": 0x52, "reinjected": 1], .injected(vector: 0x52, isReinjected: true)),
    ("kvm_inj_virq", ["vector": 0x80, "soft": 1], nil),
    ("kvm_eoi", ["apicid": 1, "vector": 82], .endOfInterrupt(vcpuID: 1, vector: 0x52)),
    ("kvm_eoi", ["apicid": 1, "vector": .max], .endOfInterrupt(vcpuID: 1, vector: nil)),
    ("kvm_pv_eoi", ["apicid": 1, "vector": 82], .endOfInterrupt(vcpuID: 1, vector: 0x52)),
    ("kvm_apic_ipi", ["icr_low": 0xc0050, "dest_id": 1], .ipi(vector: 0x50)),
    ("kvm_set_irq", ["gsi": 20, "level": 1], .line(gsi: 20, isHigh: true)),
    ("kvm_set_irq", ["gsi": 20, "level": 0], .line(gsi: 20, isHigh: false)),
    ("kvm_ack_irq", ["irqchip": 2, "pin": 20], .acknowledged(pin: 20)),
    ("kvm_ack_irq", ["irqchip": 0, "pin": 4], nil),
    ("kvm_msi_set_irq", ["address": 0xfee0_1000, "data": 0x70], .message(vector: 0x70)),
    (
      "kvm_ioapic_set_irq", ["pin": 4, "e": 0x1_0031, "coalesced": 1],
      .ioapic(pin: 4, vector: 0x31, isMasked: true, isCoalesced: true)
    ),
    (
      "kvm_apicv_inhibit_changed", ["reason": 6, "set": 1, "inhibits": 0x41],
      .inhibit(isSet: true, reason: 6, inhibits: 0x41)
    ),
    ("kvm_vcpu_wakeup", ["ns": 12345, "waited": 1], .wokenUp(hadSlept: true, after: 12345)),
    ("kvm_entry", ["vcpu_id": 3], .entered(vcpuID: 3)),
    ("kvm_exit", ["exit_reason": 1, "isa": 1], .exited(reason: ExitReason(number: 1, architecture: 1))),
    (
      "kvm_exit", ["exit_reason": 1, "isa": 1, "intr_info": 0x8000_00ec],
      .exited(reason: ExitReason(number: 1, architecture: 1, vector: 0xec))
    ),
    ("kvm_msr", ["ecx": 0x830, "write": 1, "data": 5], .accessed(register: 0x830, isWrite: true)),
  ]

  @Test(arguments: KernelFormats.releases)
  func `every tracepoint is understood by the kernel's own formats`(release: String) throws {
    let formats = try KernelFormats(release)
    let decoder = try #require(formats.decoder)
    #expect(decoder.readable.count == Tracepoint.allCases.count)
    #expect(decoder.obstacles.isEmpty)
    var page = MadeUpPage()
    for (name, values, _) in Self.samples {
      let format = try #require(formats.format(name))
      page.add(format.payload(thread: 4711, values))
    }
    let (events, summary) = decode(decoder, page.bytes)
    #expect(events.map(\.detail) == Self.samples.compactMap(\.2))
    #expect(events.allSatisfy { $0.thread == 4711 })
    #expect(events.first?.time == 1010)
    #expect(summary == EventDecoder.Summary())
  }

  @Test(arguments: KernelFormats.releases)
  func `exits have the kernel's own names`(release: String) throws {
    let names = try #require(KernelFormats(release).decoder).exitNames
    #expect(names[ExitReason(number: 1, architecture: 1)] == "EXTERNAL_INTERRUPT")
    #expect(names[ExitReason(number: 0x8000_0021, architecture: 1)] == "INVALID_STATE")
    #expect(names[ExitReason(number: 0x060, architecture: 2)] == "interrupt")
    #expect(names[ExitReason(number: 0x041, architecture: 2)] == "DB excp")
    #expect(names[ExitReason(number: .max, architecture: 2)] == "invalid_guest_state")
    #expect(names[ExitReason(number: 0x7777, architecture: 1)] == "exit 30583")
  }

  @Test func `fields are found where another kernel has them`() throws {
    // Before Linux 6.0; and with everything somewhere else.
    let text = """
      name: kvm_inj_virq
      ID: 1700
      format:
      \tfield:unsigned short common_type;\toffset:4;\tsize:2;\tsigned:0;
      \tfield:int common_pid;\toffset:8;\tsize:4;\tsigned:1;

      \tfield:unsigned int irq;\toffset:20;\tsize:4;\tsigned:0;

      print fmt: "irq %u", REC->irq
      """
    let format = try #require(KernelFormats.eventFormat(text))
    let formats = try KernelFormats("6.1")
    let layout = try #require(formats.page)
    let decoder = try #require(EventDecoder(page: layout, formats: [format]))
    var page = MadeUpPage()
    page.add(format.payload(thread: -5, ["irq": 0x41]))
    let events = decode(decoder, page.bytes).events
    #expect(events == [TraceEvent(time: 1010, thread: -5, detail: .injected(vector: 0x41, isReinjected: false))])
  }

  @Test func `a tracepoint without a field that is needed is left out, and the reason is said`() throws {
    let formats = try KernelFormats("6.12")
    let text = try #require(formats.texts["kvm/kvm_eoi/format"]).replacing(" vector;", with: " vektor;")
    let eoi = try #require(KernelFormats.eventFormat(text))
    let ipi = try #require(formats.format("kvm_apic_ipi"))
    let layout = try #require(formats.page)
    let decoder = try #require(EventDecoder(page: layout, formats: [eoi, ipi]))
    #expect(decoder.readable == [.ipi])
    #expect(decoder.obstacles.map(\.description) == ["kvm_eoi with a field 'vector'"])
    var page = MadeUpPage()
    page.add(eoi.payload(thread: 1, ["apicid": 1]))
    #expect(decode(decoder, page.bytes).summary.unknown == 1)
  }

  @Test(arguments: [
    "", "name: x", "ID: 5\nname: x", "name: x\nID: 70000\n\tfield:int a;\toffset:0;\tsize:4;\tsigned:1;",
  ])
  func `a text that is no format is none`(text: String) {
    #expect(KernelFormats.eventFormat(text) == nil)
    #expect(KernelFormats.pageFormat(text) == nil)
  }

  @Test func `formats that were cut or changed anywhere do no harm`() throws {
    let formats = try KernelFormats("6.1")
    let seed = UInt64.random(in: .min ... .max)
    var random = SeededGenerator(seed: seed)
    let page = MadeUpPage().bytes
    for (name, text) in formats.texts {
      let bytes = Array(text.utf8)
      for _ in 0..<50 {
        var damaged = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
        for _ in 0..<3 where !damaged.isEmpty {
          damaged[Int.random(in: damaged.indices, using: &random)] = .random(in: 0...255, using: &random)
        }
        let format = unsafe EventFormat(parsing: damaged.span.bytes)
        let layout = unsafe PageFormat(parsing: damaged.span.bytes) ?? formats.page
        guard let layout, let decoder = EventDecoder(page: layout, formats: format.map { [$0] } ?? []) else { continue }
        #expect(decode(decoder, page).events.isEmpty, "\(name), seed \(seed)")
      }
    }
  }
}
