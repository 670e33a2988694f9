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

/// Columns of text: the first to the left, the others to the right.
struct Table {
  private var rows: [[String]] = []

  mutating func add(_ row: [String]) { rows.append(row) }

  /// The rows, a line each, indented.
  func lines(indent: Int = 2) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        column == 0 ? cell.padded(to: widths[column]) : cell.padded(to: widths[column], left: true)
      }
      let line = String(repeating: " ", count: indent) + cells.joined(separator: "  ")
      // An empty last cell leaves no blanks behind.
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}

extension String {
  /// The string, with blanks up to `width` characters.
  func padded(to width: Int, left: Bool = false) -> String {
    let blanks = String(repeating: " ", count: Swift.max(0, width - count))
    return left ? blanks + self : self + blanks
  }
}

/// Columns of text, all to the left.
struct LeftTable {
  private var rows: [[String]] = []

  mutating func add(_ row: [String]) { rows.append(row) }

  /// The rows, a line each, indented; the last cell of a row may be of any width.
  func lines(indent: Int = 2) -> [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { $0.count > column + 1 ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        column + 1 == row.count ? cell : cell.padded(to: widths[column])
      }
      let line = String(repeating: " ", count: indent) + cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}
