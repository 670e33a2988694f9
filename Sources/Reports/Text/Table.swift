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
