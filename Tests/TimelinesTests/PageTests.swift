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
