import Foundation
import Testing

/// Colour only on a terminal, and there only where it is wanted.
@Suite struct ColorTests {
  /// What the program writes to a terminal of its own.
  private func onTerminal(_ environment: [String: String?]) throws -> String {
    let terminal = try Terminal()
    let result = try Program.run(["list"], environment: environment, standardOutput: terminal.end)
    #expect(result.status == 0)
    return terminal.text
  }

  @Test func `a terminal gets colour`() throws {
    #expect(try onTerminal(["NO_COLOR": nil, "TERM": "xterm"]).contains("\u{1b}[1mhello"))
  }

  @Test(arguments: [["NO_COLOR": "1", "TERM": "xterm"], ["NO_COLOR": nil, "TERM": "dumb"]])
  func `a terminal that wants none gets none`(environment: [String: String?]) throws {
    let text = try onTerminal(environment)
    #expect(text.contains("hello"))
    #expect(!text.contains("\u{1b}"))
  }

  @Test func `a file gets none`() throws {
    let text = try Program.run(["list"], environment: ["NO_COLOR": nil, "TERM": "xterm"]).output
    #expect(text.contains("hello"))
    #expect(!text.contains("\u{1b}"))
  }
}
