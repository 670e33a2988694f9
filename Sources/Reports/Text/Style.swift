/// How text for a person is drawn: with colour on a terminal that wants it, plain everywhere else.
public struct Style: Sendable {
  /// Whether to use colour.
  public var hasColor: Bool

  /// Plain text, or text with colour.
  public init(hasColor: Bool = false) {
    self.hasColor = hasColor
  }

  // ECMA-48, SGR.
  func bold(_ text: String) -> String { paint(text, 1) }
  func dim(_ text: String) -> String { paint(text, 2) }
  func red(_ text: String) -> String { paint(text, 31) }
  func green(_ text: String) -> String { paint(text, 32) }
  func yellow(_ text: String) -> String { paint(text, 33) }

  private func paint(_ text: String, _ code: Int) -> String {
    hasColor ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}
