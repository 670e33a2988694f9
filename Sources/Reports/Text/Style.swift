import Support

/// How text for a person is drawn: with colour on a terminal that wants it, plain everywhere else.
public struct Style: Sendable {
  /// Whether to use colour.
  public var hasColor: Bool

  /// Plain text, or text with colour.
  public init(hasColor: Bool = false) {
    self.hasColor = hasColor
  }

  // ECMA-48, SGR.
  func bold(_ line: TextLine) -> TextLine { paint(line, 1) }
  func dim(_ line: TextLine) -> TextLine { paint(line, 2) }
  func red(_ line: TextLine) -> TextLine { paint(line, 31) }
  func green(_ line: TextLine) -> TextLine { paint(line, 32) }
  func yellow(_ line: TextLine) -> TextLine { paint(line, 33) }

  private func paint(_ line: TextLine, _ rendition: UInt8) -> TextLine { hasColor ? line.painted(rendition) : line }
}
