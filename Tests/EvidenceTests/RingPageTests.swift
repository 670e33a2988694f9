import APIC
import TestImages
import Testing

@testable import Evidence

/// Pages of the ring buffer, whole and damaged.
@Suite struct RingPageTests {
  private let decoder: EventDecoder
  private let eoi: EventFormat

  init() throws {
    let formats = try KernelFormats("6.12")
    decoder = try #require(formats.decoder)
    eoi = try #require(formats.format("kvm_eoi"))
  }

  private func decode(_ page: [UInt8]) -> (events: [TraceEvent], summary: EventDecoder.Summary) {
    var events: [TraceEvent] = []
    let summary = unsafe decoder.decode(page.span.bytes, into: &events)
    return (events, summary)
  }

  private func payload(_ vector: UInt64) -> [UInt8] { eoi.payload(thread: 1, ["vector": vector]) }

  @Test func `times add up, over extensions, absolute times and events that were taken back`() {
    var page = MadeUpPage(at: 5000)
    page.add(after: 0, payload(0x40))
    page.add(after: 7, payload(0x41))
    page.extendTime(by: 1 << 30)
    page.add(after: 1, payload(0x42))
    page.discard(after: 100, bytes: 12)
    page.addLarge(after: 3, payload(0x43))
    page.stamp(1 << 40)
    page.add(after: 2, payload(0x44))
    page.pad()
    let (events, summary) = decode(page.bytes)
    let base: UInt64 = 5007 + 1 << 30 + 1
    let stamped: UInt64 = 1 << 40 + 2
    #expect(events.map(\.time) == [5000, 5007, base, base + 103, stamped])
    #expect(summary == EventDecoder.Summary())
  }

  @Test func `an absolute time of 59 bits keeps the bits above of the time before`() {
    var page = MadeUpPage(at: 3 << 59 | 500)
    page.stamp(700)
    page.add(after: 0, payload(0x40))
    page.stamp(600)
    page.add(after: 0, payload(0x41))
    let times: [UInt64] = [3 << 59 | 700, 4 << 59 | 600]
    #expect(decode(page.bytes).events.map(\.time) == times)
  }

  @Test func `events that were lost are counted, and are at least one where nobody knows how many`() {
    var page = MadeUpPage()
    page.add(payload(0x40))
    page.flags = 1 << 31 | 1 << 30
    page.missed = 123_456
    #expect(decode(page.bytes).summary.lost == 123_456)
    #expect(decode(page.bytes).events.count == 1)
    page.flags = 1 << 31
    page.missed = nil
    #expect(decode(page.bytes).summary.lost == 1)
  }

  @Test func `an event of an unknown kind, or too short, is counted`() {
    var page = MadeUpPage()
    var other = payload(0x40)
    other[0] = 0xff
    page.add(other)
    page.add(Array(payload(0x40).prefix(8)))
    page.add(payload(0x41))
    let (events, summary) = decode(page.bytes)
    #expect(events.map(\.detail) == [.endOfInterrupt(vcpuID: 0, vector: 0x41)])
    #expect(summary.unknown == 2)
  }

  @Test func `an event that goes beyond the end is not taken, and what was before is`() {
    var page = MadeUpPage()
    page.add(payload(0x40))
    page.word(28, 1)
    let (events, summary) = decode(page.bytes)
    #expect(events.count == 1)
    #expect(summary.unknown == 1)
  }

  @Test func `a page that is cut anywhere has its first events, and no harm is done`() {
    var page = MadeUpPage()
    for vector in 0x40..<0x60 { page.add(payload(UInt64(vector))) }
    let whole = decode(page.bytes).events
    #expect(whole.count == 0x20)
    for count in 0..<(16 + page.data.count) {
      let (events, summary) = decode(Array(page.bytes.prefix(count)))
      #expect(events == Array(whole.prefix(events.count)))
      // The page says how much is committed, so that what is missing shows.
      #expect(summary.unknown == (count == 0 ? 0 : 1))
    }
  }

  @Test func `random bytes anywhere in a page do no harm`() {
    var page = MadeUpPage()
    for vector in 0x40..<0x60 { page.add(payload(UInt64(vector))) }
    page.extendTime(by: 1 << 30)
    page.addLarge(payload(0x70))
    page.discard(after: 4, bytes: 20)
    page.stamp(1 << 41)
    let seed = UInt64.random(in: .min ... .max)
    var random = SeededGenerator(seed: seed)
    for _ in 0..<20_000 {
      var bytes = page.bytes
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let place = Int.random(in: 0..<(20 + page.data.count), using: &random)
        bytes[place] = .random(in: 0...255, using: &random)
      }
      let (events, _) = decode(bytes)
      #expect(events.count <= bytes.count / 4, "seed \(seed)")
    }
    for _ in 0..<2000 {
      let bytes = (0..<4096).map { _ in UInt8.random(in: 0...255, using: &random) }
      _ = decode(bytes)
    }
  }

  @Test func `counters of lost events are summed, of whatever kind`() {
    let text = """
      entries: 5
      overrun: 10
      commit overrun: 200
      bytes: 999
      oldest event ts:     0.000000
      now ts: 12872.264911
      dropped events: 3000
      read events: 7
      """
    #expect(ProcessorRing.lost(in: text) == 3210)
    #expect(ProcessorRing.lost(in: "nonsense: \noverrun: x\n") == 0)
  }
}
