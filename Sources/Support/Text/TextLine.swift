/// A line for a person to read, which stays one line and does nothing to a terminal, whatever is in it.
///
/// Most of what Lapwing shows was written by somebody else: by a guest, by a file, by the kernel. So a line is made by
/// interpolation, and everything that is put into it is escaped and cut (`shown`, `limit`), unless it is a line itself.
/// What is no line does not get to a person: the reports' texts and the messages on standard error are made of these.
public struct TextLine: Hashable, Sendable, CustomStringConvertible {
  /// How many bytes of one foreign text a line takes: more than anything has that was not made to be long.
  public static let limit = 4096

  /// The line, without a newline at its end; of control characters it has the colours' at most.
  public private(set) var text: String
  /// How many columns it takes, each scalar one.
  public private(set) var width: Int

  /// A line of a foreign text.
  ///
  /// - Parameters:
  ///   - foreign: anything.
  ///   - limit: how many bytes of it are shown.
  public init(_ foreign: some StringProtocol, atMost limit: Int = Self.limit) {
    text = Escape.shown(foreign, atMost: limit)
    width = text.unicodeScalars.count
  }

  /// An empty line.
  public init() { (text, width) = ("", 0) }

  /// The line on a terminal.
  public var description: String { text }

  /// Whether nothing is in it.
  public var isEmpty: Bool { text.isEmpty }

  /// The line, with blanks up to a width in columns.
  ///
  /// - Parameters:
  ///   - width: how many columns; a line that has as many stays as it is.
  ///   - left: whether the blanks go in front of it.
  public func padded(to width: Int, left: Bool = false) -> TextLine {
    let blanks = TextLine(blanks: width - self.width)
    return left ? blanks + self : self + blanks
  }

  /// The line without the blanks at its end.
  public var withoutBlanksAtEnd: TextLine {
    let kept = text.utf8.reversed().drop { $0 == 0x20 }.count
    var line = self
    line.width -= text.utf8.count - kept
    line.text = String(decoding: text.utf8.prefix(kept), as: UTF8.self)
    return line
  }

  /// As much of the line as fits into a number of columns; one that is too long loses its colours.
  ///
  /// - Parameter columns: how many, from 0 on.
  public func cut(to columns: Int) -> TextLine {
    guard width > columns else { return self }
    var plain = String.UnicodeScalarView()
    var isInColor = false
    for scalar in text.unicodeScalars where plain.count < columns {
      if scalar == "\u{1b}" { isInColor = true }
      if !isInColor { plain.append(scalar) }
      if scalar == "m" { isInColor = false }
    }
    var line = TextLine()
    line.text = String(plain)
    line.width = plain.count
    return line
  }

  /// The line in a colour or a weight.
  ///
  /// - Parameter rendition: a parameter of SGR (ECMA-48), such as 31 for red.
  public func painted(_ rendition: UInt8) -> TextLine {
    var line = self
    line.text = "\u{1b}[\(rendition)m\(text)\u{1b}[0m"
    return line
  }

  /// A line of blanks; an empty one for a number that is negative.
  public init(blanks count: Int) {
    width = max(0, count)
    text = String(repeating: " ", count: width)
  }

  /// One line after the other.
  public static func + (left: TextLine, right: TextLine) -> TextLine {
    var line = left
    line += right
    return line
  }

  /// Puts a line after this one.
  public static func += (left: inout TextLine, right: TextLine) {
    left.text += right.text
    left.width += right.width
  }
}

extension TextLine: ExpressibleByStringInterpolation {
  /// A line of the program's own.
  public init(stringLiteral text: String) { self.init(text, atMost: .max) }

  /// A line of the program's own with foreign text in it.
  public init(stringInterpolation parts: StringInterpolation) { self = parts.line }

  /// Puts a line together: foreign text is escaped and cut, a line is taken as it is.
  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var line = TextLine()

    /// Begins with nothing.
    public init(literalCapacity: Int, interpolationCount: Int) {}

    /// Adds what the program says itself.
    public mutating func appendLiteral(_ literal: String) { line += TextLine(literal, atMost: .max) }

    /// Adds a line.
    public mutating func appendInterpolation(_ part: TextLine) { line += part }

    /// Adds a text of anybody's, or what describes a value.
    public mutating func appendInterpolation(_ value: some CustomStringConvertible) {
      line += TextLine(value.description)
    }

    /// Adds what is known of an error, which may quote what it is about.
    public mutating func appendInterpolation(_ error: any Error) { line += TextLine(String(describing: error)) }
  }
}

extension Sequence<TextLine> {
  /// The lines side by side, as one.
  public func joined(separator: TextLine = "") -> TextLine {
    var line = TextLine()
    for (index, part) in enumerated() {
      if index > 0 { line += separator }
      line += part
    }
    return line
  }

  /// The lines one under the other, as a text without a newline at its end.
  public var text: String { map(\.text).joined(separator: "\n") }
}
