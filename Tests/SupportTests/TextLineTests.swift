import Support
import Testing

@Suite struct TextLineTests {
  @Test(arguments: [
    ("plain", "plain"), ("größer µs \u{1f600}", "größer µs \u{1f600}"), ("a\nb", "a\\nb"), ("\r\n\t", "\\r\\n\\t"),
    ("\u{1b}[31m", "\\x1b[31m"), ("\u{0}\u{7f}\u{9b}", "\\x00\\x7f\\x9b"), ("\u{202e}x\u{2066}", "\\u{202e}x\\u{2066}"),
    ("\u{2028}\u{2029}\u{85}", "\\u{2028}\\u{2029}\\x85"), ("\u{feff}\u{200b}", "\\u{feff}\\u{200b}"), ("\\n", "\\n"),
  ])
  func `what a terminal would obey is shown by its number`(foreign: String, shown: String) {
    #expect(TextLine(foreign).text == shown)
    let line: TextLine = "<\(foreign)>"
    #expect(line.text == "<\(shown)>")
  }

  @Test func `a line in a line stays as it is, colours and all`() {
    let line: TextLine = "\(TextLine("a\n").painted(1)): \("b\n")"
    #expect(line.text == "\u{1b}[1ma\\n\u{1b}[0m: b\\n")
    #expect(line.width == 8)
  }

  @Test func `an error's text is foreign, too`() {
    struct Quoting: Error, CustomStringConvertible { let description = "a\u{1b}b" }
    let error: any Error = Quoting()
    #expect("\(error)" as TextLine == "a\u{1b}b")
    #expect(("\(Quoting())" as TextLine).text == "a\\x1bb")
    #expect(("\(error)" as TextLine).text == "a\\x1bb")
  }

  @Test func `what is foreign is cut, at a scalar, and what is left out is counted`() {
    let long = String(repeating: "x", count: 10_000_000)
    let line: TextLine = "'\(long)' is wrong"
    #expect(line.text == "'\(String(repeating: "x", count: TextLine.limit))... (9995904 more bytes)' is wrong")
    #expect(TextLine("aé", atMost: 2).text == "a... (2 more bytes)")
    #expect(TextLine("aé", atMost: 3).text == "aé")
  }

  @Test func `a line is filled up to its width in columns, whatever its colour`() {
    #expect(TextLine("ab").painted(31).padded(to: 4).text == "\u{1b}[31mab\u{1b}[0m  ")
    #expect(TextLine("ab").padded(to: 4, left: true) == "  ab")
    #expect(TextLine("ab").padded(to: 1) == "ab")
    #expect(("ab  " as TextLine).withoutBlanksAtEnd == "ab")
    #expect(TextLine(blanks: -1).isEmpty)
    #expect((["a", "b"] as [TextLine]).joined(separator: ", ") == "a, b")
    #expect((["a", "b"] as [TextLine]).text == "a\nb")
  }

  @Test func `of a text of many lines newlines and colours are left`() {
    #expect(Escape.inLines("a\n\u{1b}[31mb\u{1b}[0m\n") == "a\n\u{1b}[31mb\u{1b}[0m\n")
    #expect(Escape.inLines("\u{1b}[2J\u{1b}]0;x\u{7}\u{1b}") == "\\x1b[2J\\x1b]0;x\\x07\\x1b")
    #expect(Escape.inLines("a\rb\u{9b}") == "a\\rb\\x9b")
    #expect(Escape.inLines("\u{1b}[31;5m") == "\\x1b[31;5m")
  }
}

@Suite struct TextPartsTests {
  @Test func `the end and the beginning of a text are cut at scalars, and in bytes`() {
    #expect("aéb".end(atMost: 2) == "b")
    #expect("aéb".end(atMost: 3) == "éb")
    #expect("aéb".end(atMost: 9) == "aéb")
    #expect("aéb".beginning(atMost: 2) == "a")
    #expect("aéb".beginning(atMost: 3) == "aé")
    #expect("é".beginning(atMost: 1) == "")
    // One character as Swift counts.
    let mark = "e" + String(repeating: "\u{301}", count: 10_000)
    #expect(mark.end(atMost: 100).utf8.count == 100)
    #expect(mark.excerpt.utf8.count <= 83)
  }

  @Test func `a text's lines end with LF or CR LF alone`() {
    #expect("a\r\nb\n\nc\u{2028}d\re".linesOfText == ["a", "b", "", "c\u{2028}d\re"])
    #expect("".linesOfText == [""])
  }

  @Test func `blanks at both ends are left out`() {
    #expect(" \t\u{a0}a b\r"[...].trimmed == "a b")
    #expect("  "[...].trimmed == "")
  }

  @Test(.timeLimit(.minutes(1))) func `a megabyte of regional indicators, or of combining marks, is cut at once`() {
    for scalar in ["\u{1f1e6}", "\u{301}"] {
      let text = String(repeating: scalar, count: 1 << 20)
      for _ in 0..<50 {
        #expect(text.end(atMost: 8192).utf8.count <= 8192)
        #expect(TextLine(text).text.utf8.count <= TextLine.limit + 40)
        #expect(text[...].trimmed.utf8.count == text.utf8.count)
        #expect(text.linesOfText.count == 1)
      }
    }
  }
}
