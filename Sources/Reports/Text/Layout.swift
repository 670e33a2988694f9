import Support

/// Columns of text: the first to the left, the others to the right.
struct Table {
  private var rows: [[TextLine]] = []

  mutating func add(_ row: [TextLine]) { rows.append(row) }

  /// The rows, a line each, indented.
  func lines(indent: Int = 2) -> [TextLine] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].width : 0 }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        column == 0 ? cell.padded(to: widths[column]) : cell.padded(to: widths[column], left: true)
      }
      // An empty last cell leaves no blanks behind.
      return (TextLine(blanks: indent) + cells.joined(separator: "  ")).withoutBlanksAtEnd
    }
  }
}

/// Columns of text, all to the left.
struct LeftTable {
  private var rows: [[TextLine]] = []

  mutating func add(_ row: [TextLine]) { rows.append(row) }

  /// The rows, a line each, indented; the last cell of a row may be of any width.
  func lines(indent: Int = 2) -> [TextLine] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { $0.count > column + 1 ? $0[column].width : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        column + 1 == row.count ? cell : cell.padded(to: widths[column])
      }
      return (TextLine(blanks: indent) + cells.joined(separator: "  ")).withoutBlanksAtEnd
    }
  }
}

extension Sequence<String> {
  /// Each as a line, or as a cell of a table.
  var lines: [TextLine] { map { TextLine($0) } }
}
