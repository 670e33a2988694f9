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

/// Figures as a person reads them.
enum Units {
  /// Nanoseconds as milliseconds with one digit, or as seconds with two from 10 s on: `12.3 ms`.
  static func time(_ nanoseconds: Int64) -> String {
    abs(nanoseconds) < 10_000_000_000
      ? "\(fixed(Double(nanoseconds) / 1e6, digits: 1)) ms" : "\(fixed(Double(nanoseconds) / 1e9, digits: 2)) s"
  }

  /// Nanoseconds in the unit that suits them, with up to three digits behind the point: `850 ns`, `12.345 us`, `3.2 ms`.
  static func span(_ nanoseconds: Int64) -> String {
    let size = nanoseconds.magnitude
    for (unit, scale) in [("s", 1e9), ("ms", 1e6), ("us", 1e3)] where Double(size) >= scale {
      var text = fixed(Double(nanoseconds) / scale, digits: 3)
      while text.hasSuffix("0") { text.removeLast() }
      if text.hasSuffix(".") { text.removeLast() }
      return "\(text) \(unit)"
    }
    return "\(nanoseconds) ns"
  }

  /// Hertz in the unit that suits them: `18.207 Hz`, `1.193 MHz`.
  static func frequency(_ hertz: Double) -> String {
    for (unit, scale) in [("MHz", 1e6), ("kHz", 1e3)] where hertz >= scale {
      return "\(fixed(hertz / scale, digits: 3)) \(unit)"
    }
    return "\(fixed(hertz, digits: 3)) Hz"
  }

  /// Nanoseconds with three digits that count, in the unit that fits: `812 ns`, `3.04 µs`, `12.3 ms`.
  static func shortTime(_ nanoseconds: Double) -> String {
    for (size, unit) in [(1e9, "s"), (1e6, "ms"), (1e3, "µs")] where nanoseconds.magnitude >= size * 0.9995 {
      let value = min(nanoseconds / size, 1e12)
      return "\(fixed(value, digits: value < 9.995 ? 2 : value < 99.95 ? 1 : 0)) \(unit)"
    }
    return "\(fixed(nanoseconds, digits: 0)) ns"
  }

  /// `1 vCPU`, `2 vCPUs`.
  static func count(_ number: some BinaryInteger, _ noun: String, plural: String? = nil) -> String {
    number == 1 ? "1 \(noun)" : "\(number) \(plural ?? noun + "s")"
  }

  static func fixed(_ value: Double, digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let rounded = Int64((value * scale).rounded())
    let sign = rounded < 0 ? "-" : ""
    let whole = rounded.magnitude / UInt64(scale)
    let rest = String(rounded.magnitude % UInt64(scale))
    guard digits > 0 else { return "\(sign)\(whole)" }
    return "\(sign)\(whole)." + String(repeating: "0", count: digits - rest.count) + rest
  }
}
