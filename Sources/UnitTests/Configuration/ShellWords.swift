import Support

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
