import Support

/// What is drawn so far, in columns from top to bottom.
struct PictureCanvas {
  static let headingHeight = 34.0
  private static let margin = 18.0
  private static let textLimit = 200

  let column: Double
  private let columns: Int
  private var parts: [String] = []
  private(set) var top = 12.0

  init(column: Int, columns: Int) {
    self.column = Double(column)
    self.columns = columns
  }

  /// Where a column begins.
  func left(of index: Int) -> Double { Self.margin + Double(index) * (column + 28) }

  mutating func skip(_ height: Double) { top += height }

  mutating func heading(_ text: String, column index: Int) {
    self.text(text, left(of: index), top + 18, "heading")
  }

  /// Says that there is nothing to show.
  mutating func absent(_ text: String, column index: Int) {
    self.text(text, left(of: index), top + 18, "quiet")
  }

  /// A line below all that is there.
  mutating func note(_ text: String) {
    // About as many characters as there is room for, at the words.
    var line = ""
    let room = Int(Double(columns) * column / 6.3)
    for word in Escape.shown(text, atMost: 600).split(separator: " ") {
      if !line.isEmpty, line.count + word.count >= room {
        self.text(line, left(of: 0), top + 14, "quiet")
        top += 17
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    self.text(line, left(of: 0), top + 14, "quiet")
    top += 17
  }

  mutating func text(_ text: String, _ x: Double, _ y: Double, _ style: String) {
    parts.append(
      "<text class=\"\(style)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\">\(Self.escaped(text))</text>")
  }

  mutating func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String, title: String? = nil)
  {
    let inside = title.map { "><title>\(Self.escaped($0))</title></rect>" } ?? "/>"
    parts.append(
      "<rect class=\"\(style)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(max(width, 0.8)))\""
        + " height=\"\(Self.number(height))\"\(inside)")
  }

  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
    parts.append(
      "<line class=\"\(style)\" x1=\"\(Self.number(x1))\" y1=\"\(Self.number(y1))\" x2=\"\(Self.number(x2))\""
        + " y2=\"\(Self.number(y2))\"/>")
  }

  /// An arrow straight up or down, with a spot where it comes from.
  mutating func arrow(at x: Double, from: Double, to: Double) {
    let head = to > from ? -8.0 : 8.0
    line(x, from, x, to + head, "arrow")
    let (left, right, base) = (Self.number(x - 4.5), Self.number(x + 4.5), Self.number(to + head))
    parts.append(
      "<circle class=\"tip\" cx=\"\(Self.number(x))\" cy=\"\(Self.number(from))\" r=\"3.5\"/>"
        + "<path class=\"tip\" d=\"M\(Self.number(x)) \(Self.number(to))L\(left) \(base)L\(right) \(base)Z\"/>")
  }

  /// The picture. It follows the reader's choice of light or dark.
  func document(title: String) -> String {
    let width = Int(2 * Self.margin + Double(columns) * column + Double(columns - 1) * 28)
    let height = Int(top + 14)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)" role="img">
      <title>\(Self.escaped("Interrupts of " + title))</title>
      <style>
      text{font:12px system-ui,"Segoe UI","DejaVu Sans",sans-serif;fill:#1c2024}.ground{fill:#fbfbf9;stroke:#e2e3df}
      text.heading{font-size:15px;font-weight:600}text.title{font-size:13px;font-weight:600}text.quiet,text.unit{fill:#646b73}
      text.lane{fill:#646b73;text-anchor:end}text.exit{font-size:10px}text.moment{font-size:11px}text.unit{font-size:11px}
      .guest{fill:#7fc2b1}.outside{fill:#c9cdd2}.interrupt{fill:#e3b04b}.apic{fill:#bd97dd}.window{fill:#e58a5b}
      .halted{fill:#dfe4ee}.wait{fill:#8fb0ea}.service{fill:#3f66bd}.axis{stroke:#d5d8d4}.scale{stroke:#646b73}.moment{stroke:#646b73;stroke-dasharray:2 3}
      .arrow{stroke:#c2473d;stroke-width:2.5}.tip{fill:#c2473d}
      @media(prefers-color-scheme:dark){text{fill:#e4e7ea}.ground{fill:#14171a;stroke:#2c3238}
      text.quiet,text.unit,text.lane{fill:#98a1ab}.guest{fill:#3f8f7d}.outside{fill:#454c54}.interrupt{fill:#a87818}
      .apic{fill:#7d559f}.window{fill:#a85826}.halted{fill:#283040}.wait{fill:#3d5f9e}.service{fill:#7b9cf0}
      .axis{stroke:#2c3238}.scale{stroke:#98a1ab}.moment{stroke:#98a1ab}.arrow{stroke:#ef7a6d}.tip{fill:#ef7a6d}}
      text.moment{stroke:none}
      </style>
      <rect class="ground" x="0.5" y="0.5" width="\(width - 1)" height="\(height - 1)" rx="8"/>
      \(parts.joined(separator: "\n"))
      </svg>

      """
  }

  /// A text as XML has it, without what no document may have (XML 1.0, section 2.2).
  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in Escape.shown(text, atMost: textLimit).unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\u{fffe}", "\u{ffff}": result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A length with one digit behind the point.
  private static func number(_ value: Double) -> String {
    let tenths = Int64((min(max(value, -1e6), 1e6) * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }
}
