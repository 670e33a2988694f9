import APIC
import Testing

@testable import Evidence
@testable import Timelines

@Suite struct PageTests {
  private static let hostile =
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>&<!--\u{202e}\u{7}\u{2028}"

  @Test func `texts of others can end no element of the page, and begin none`() throws {
    let page = String(decoding: try MadeUpTimeline(.html).write(Self.hostile, [], [.injected(at: 0)]), as: UTF8.self)
    #expect(!page.contains("alert(1)</script>"))
    #expect(!page.contains("<img"))
    #expect(page.contains("\\u003c/script\\u003e\\u003cscript\\u003ealert(1)"))
    #expect(!page.contains("\u{202e}") && !page.contains("\u{7}") && !page.contains("\u{2028}"))
  }

  @Test func `the page is whole and asks for nothing from elsewhere`() throws {
    let page = String(decoding: try MadeUpTimeline(.html).write("guest", [], [.injected(at: 0)]), as: UTF8.self)
    #expect(page.hasPrefix("<!doctype html>") && page.hasSuffix("</html>\n"))
    #expect(page.contains("default-src 'none'"))
    for word in ["http:", "https:", "src=", "url(", "import(", "fetch(", "innerHTML"] { #expect(!page.contains(word)) }
    #expect(page.contains("[\"j\",1,1,1,80,[0,null,null,100,null,1100],0,"))
  }

  @Test func `of more sources than a page has words for, the rest are called others`() throws {
    let sources: Range<UInt32> = 0..<20_100
    let journeys = sources.map { gsi in
      var journey = InterruptJourney.injected(at: Int64(gsi) * 10_000)
      journey.source = .line(gsi: gsi)
      return journey
    }
    let page = String(decoding: try MadeUpTimeline(.html).write("guest", [], journeys), as: UTF8.self)
    let rows = page.split(separator: "\n")
    #expect(rows.contains { $0.contains("\"w\",\"line 5\"") } && !page.contains("\"line 20099\""))
    let words = rows.filter { $0.contains("[\"w\",") }
    let others = try #require(words.firstIndex { $0.contains("\"others\"") })
    let last = try #require(rows.last { $0.contains("[\"j\",") })
    #expect(words.count == 20_001 && last.contains(",-1,\(others),"))
  }

  @Test func `the page is told what an exit has to do with interrupts`() throws {
    let exit = event(10, on: 100, .exited(reason: ExitReason(number: 12, architecture: 1)))
    let bytes = try MadeUpTimeline(.html).write(
      "guest", [event(5, on: 100, .entered(vcpuID: 0)), exit, event(20, on: 100, .entered(vcpuID: 0))])
    #expect(String(decoding: bytes, as: UTF8.self).contains("[\"w\",\"exit 12\",\"outside\"]"))
    #expect(ExitClass("HLT") == .halted && ExitClass("intr") == .interrupt && ExitClass("vintr") == .window)
    #expect(ExitClass("EXTERNAL_INTERRUPT") == .interrupt && ExitClass("PENDING_INTERRUPT") == .window)
    #expect(ExitClass("EOI_INDUCED") == .apic && ExitClass("MSR_WRITE") == .apic && ExitClass("CPUID") == .outside)
  }

  @Test func `what a page has no room for is counted on it`() throws {
    var writer = PageWriter(room: PageWriter.Room(stays: 0, journeys: 2, others: 0))
    var page: [UInt8] = []
    writer.begin(.madeUp(), 1, into: &page)
    for number in 1...5 {
      writer.add(
        .journey(TimelineJourney(number: number, journey: .injected(at: Int64(number)), exit: nil)), of: 1, into: &page)
    }
    writer.finish(into: &page)
    let text = String(decoding: page, as: UTF8.self)
    #expect(text.split(separator: "\n").count { $0.hasPrefix("[\"j\"") } == 2)
    #expect(text.contains("[\"l\",3]"))
  }
}
