import TestImages
import Testing

@testable import Control

/// Lines of bytes that come in pieces.
@Suite struct LineSplitterTests {
  private static let long = [UInt8](repeating: 0x78, count: LineSplitter.limit + 1)

  @Test func `lines are the same however the bytes are cut`() {
    let text = Array("one\n\r\n\ntwo\r\n".utf8) + Self.long + Array("\nthree\n".utf8) + Self.long.dropLast() + [0x0a]
    var whole = LineSplitter()
    let expected = whole.take(text)
    #expect(
      expected == [
        .whole(Array("one".utf8)), .whole(Array("two".utf8)), .tooLong, .whole(Array("three".utf8)),
        .whole(Array(Self.long.dropLast())),
      ])
    var random = SeededGenerator(seed: 2)
    for _ in 0..<50 {
      var (splitter, lines, rest) = (LineSplitter(), [LineSplitter.Line](), text[...])
      while !rest.isEmpty {
        let count = Int.random(in: 1...20_000, using: &random)
        lines += splitter.take(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
      }
      #expect(lines == expected)
    }
  }

  @Test func `a last line needs no end`() {
    var splitter = LineSplitter()
    #expect(splitter.take(Array("one\ntw".utf8)) == [.whole(Array("one".utf8))])
    #expect(splitter.take(Array("o".utf8)).isEmpty)
    #expect(splitter.finish() == .whole(Array("two".utf8)))
    #expect(splitter.finish() == nil)
    #expect(splitter.take(Self.long).isEmpty)
    #expect(splitter.finish() == .tooLong)
  }
}
