import Testing

@testable import UnitTests

@Suite struct ShellWordsTests {
  @Test(arguments: [
    ("", []), ("  -cpu   max ", ["-cpu", "max"]), ("'a b' c", ["a b", "c"]), ("\"a  b\"c", ["a  bc"]),
    ("a\\ b", ["a b"]), (#""a\ b" "\$\"\\\`""#, [#"a\ b"#, "$\"\\`"]),
    ("\"10 `date +%s`\"", ["10 1234"]), ("'$x `y`'", ["$x `y`"]), ("-m\n2g", ["-m", "2g"]),
    ("''", [""]),
  ])
  func `words are split as a shell does it`(text: String, words: [String]) throws {
    #expect(try ShellWords(text, time: 1234).words == words)
  }

  @Test(arguments: [
    ("$HOME", "$HOME"), ("\"$(nproc)\"", "$(nproc"), ("`rm -rf /`", "`rm -rf /`"), ("a; b", ";"), ("a | b", "|"),
    ("'a", "' without an end"), ("\"a", "\" without an end"), ("`a", "` without an end"),
  ])
  func `what needs a shell is refused, not run`(text: String, what: String) {
    #expect(throws: ShellWords.Unsupported(what: what)) { try ShellWords(text, time: 0) }
  }
}
