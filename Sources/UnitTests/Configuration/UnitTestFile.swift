import Support

/// kvm-unit-tests' configuration, `unittests.cfg`: sections `[name]` with lines `option = value`, comments with `#`, and
/// values of several lines between `"""`.
public struct UnitTestFile: Hashable, Sendable {
  /// The tests, in the file's order.
  public private(set) var tests: [UnitTest] = []

  /// What is wrong with a file.
  public struct ParsingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line, from 1.
    public let line: Int
    /// What is wrong there.
    public let problem: String

    /// The line and what is wrong there, for a person.
    public var description: String { "line \(line): \(problem)" }
  }

  /// The tests of a file's text.
  ///
  /// - Throws: `ParsingError` for a line that is neither a section, an option nor a comment, for an option before the first
  ///   section, for two tests of one name, and for a value without an end.
  public init(_ text: String) throws(ParsingError) {
    let lines = text.linesOfText
    var names: Set<String> = []
    var number = 0
    while number < lines.count {
      let line = lines[number].trimmed
      number += 1
      if line.isEmpty || line.hasPrefix("#") { continue }
      if line.hasPrefix("[") {
        try begin(line, number, &names)
        continue
      }
      guard let equals = line.firstIndex(of: "=") else {
        throw ParsingError(line: number, problem: "'\(String(line).excerpt)' is neither '[name]' nor 'option = value'")
      }
      let option = line[..<equals].trimmed
      var value = String(line[line.index(after: equals)...].trimmed)
      guard !tests.isEmpty else {
        throw ParsingError(
          line: number, problem: "the option '\(String(option).excerpt)' comes before the first '[name]'")
      }
      if value.hasPrefix(Self.quotes) { value = try Self.longValue(value, lines, &number) }
      tests[tests.count - 1].set(String(option), value)
    }
  }

  private mutating func begin(_ line: Substring, _ number: Int, _ names: inout Set<String>) throws(ParsingError) {
    guard line.hasSuffix("]"), line.utf8.count > 2 else {
      throw ParsingError(line: number, problem: "a section is '[name]', not '\(String(line).excerpt)'")
    }
    var test = UnitTest(name: String(line.dropFirst().dropLast().trimmed))
    test.line = number
    guard names.insert(test.name).inserted else {
      throw ParsingError(line: number, problem: "there are two tests of the name '\(test.name.excerpt)'")
    }
    tests.append(test)
  }

  private static let quotes = "\"\"\""

  /// A value up to the next `"""`. A backslash at the end of a line joins it to the next.
  private static func longValue(
    _ start: String, _ lines: [Substring], _ number: inout Int
  ) throws(ParsingError) -> String {
    let first = number
    var value = ""
    var line = start.dropFirst(quotes.count)
    while true {
      if let end = line.firstRange(of: quotes) { return value + line[..<end.lowerBound] }
      guard number < lines.count else {
        throw ParsingError(line: first, problem: "the value that begins with \(quotes) has no end")
      }
      if line.hasSuffix("\\") { value += line.dropLast() } else { value += line + "\n" }
      line = lines[number]
      number += 1
    }
  }
}

extension UnitTest {
  fileprivate mutating func set(_ option: String, _ value: String) {
    switch option {
    case "file": file = value
    case "smp": smp = value
    case "test_args": arguments = value
    case "extra_params", "qemu_params": options = value
    case "groups": groups = value.split(whereSeparator: \.isWhitespace).map(String.init)
    case "arch": architecture = value
    case "machine": machine = value
    case "accel": accelerator = value
    case "check": check = value
    case "timeout": timeout = value
    case "disabled_if": disabledIf = value
    // Of the other VMM that the suite runs under.
    case "kvmtool_params": break
    default: unknown.append(option)
    }
  }
}

/// A text split into words as a shell does it, with its three kinds of quotes. What would need a shell to run something,
/// or to know a variable, is an error; of commands only the time is known.
struct ShellWords {
  private(set) var words: [String] = []

  /// Something for which a real shell would be needed.
  struct Unsupported: Error, Hashable {
    let what: String
  }

  /// - Parameter time: the seconds that `date +%s` says.
  init(_ text: String, time: Int) throws(Unsupported) {
    var scanner = Scanner(rest: text[...], time: time)
    while let word = try scanner.next() { words.append(word) }
  }

  private struct Scanner {
    var rest: Substring
    let time: Int

    mutating func next() throws(Unsupported) -> String? {
      rest = rest.drop { $0.isWhitespace }
      guard !rest.isEmpty else { return nil }
      var word = ""
      while let character = rest.first, !character.isWhitespace {
        rest.removeFirst()
        switch character {
        case "'": word += try upTo("'")
        case "\"": word += try quoted()
        case "\\": if !rest.isEmpty { word.append(rest.removeFirst()) }
        case "`": word += try output()
        case "$": throw Unsupported(what: "$\(rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "(" })")
        case ";", "|", "&", "<", ">", "(", ")": throw Unsupported(what: String(character))
        default: word.append(character)
        }
      }
      return word
    }

    /// Up to a closing quote, which is taken too.
    private mutating func upTo(_ quote: Character) throws(Unsupported) -> String {
      guard let end = rest.firstIndex(of: quote) else { throw Unsupported(what: "\(quote) without an end") }
      defer { rest = rest[rest.index(after: end)...] }
      return String(rest[..<end])
    }

    private mutating func quoted() throws(Unsupported) -> String {
      var text = ""
      while let character = rest.first {
        rest.removeFirst()
        switch character {
        case "\"": return text
        // Between double quotes a backslash stands for itself but before these (POSIX, Shell Command Language, 2.2.3).
        case "\\":
          switch rest.first {
          case "$", "`", "\"", "\\": text.append(rest.removeFirst())
          case "\n": rest.removeFirst()
          default: text.append("\\")
          }
        case "`": text += try output()
        case "$": throw Unsupported(what: "$\(rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "(" })")
        default: text.append(character)
        }
      }
      throw Unsupported(what: "\" without an end")
    }

    private mutating func output() throws(Unsupported) -> String {
      let command = try upTo("`")
      guard command[...].trimmed == "date +%s" else { throw Unsupported(what: "`\(command.excerpt)`") }
      return String(time)
    }
  }
}
