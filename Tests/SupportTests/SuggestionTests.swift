import Support
import Testing

@Suite struct SuggestionTests {
  private static let names = ["hello", "ipi", "msi", "timer", "storm"]

  @Test(arguments: [
    ("helo", "hello"), ("hellp", "hello"), ("hellooo", "hello"), ("tmer", "timer"), ("stormy", "storm"), ("ip", "ipi"),
  ]) func `a name with a letter too few, too many or wrong is known`(typed: String, meant: String) {
    #expect(Suggestion.nearest(to: typed, in: Self.names) == meant)
  }

  @Test(arguments: ["kernel.elf", "", "xyz", String(repeating: "hello", count: 100)])
  func `what is like none of them is none of them`(typed: String) {
    #expect(Suggestion.nearest(to: typed, in: Self.names) == nil)
  }
}
