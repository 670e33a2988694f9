import JSON

/// Rows of the page's data, as JSON in script elements that are no scripts: a browser reads them piece by piece.
struct PageRows: Sendable {
  /// How many rows a piece has.
  private static let pieceSize = 2000

  private var inPiece = 0

  /// A value of a row.
  enum Value {
    case text(String)
    case number(Int64)
    case numbers([Int64?])
    case texts([String])
  }

  /// Writes a row.
  ///
  /// - Parameters:
  ///   - kind: what it is.
  ///   - values: what it says.
  mutating func write(_ kind: String, _ values: [Value], into output: inout [UInt8]) {
    output += Array((inPiece == 0 ? "<script type=\"application/json\" class=\"rows\">\n[" : ",\n").utf8)
    Self.write([.text(kind)] + values, into: &output)
    inPiece += 1
    if inPiece == Self.pieceSize { end(into: &output) }
  }

  /// Ends what was begun.
  mutating func end(into output: inout [UInt8]) {
    guard inPiece > 0 else { return }
    output += Array("]\n</script>\n".utf8)
    inPiece = 0
  }

  private static func write(_ values: [Value], into output: inout [UInt8]) {
    output.append(UInt8(ascii: "["))
    for (index, value) in values.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      switch value {
      case .text(let text): write(text, into: &output)
      case .number(let number): write(number, into: &output)
      case .numbers(let numbers):
        write(list: numbers, into: &output) { number, output in
          if let number { write(number, into: &output) } else { output += Array("null".utf8) }
        }
      case .texts(let texts): write(list: texts, into: &output) { write($0, into: &$1) }
      }
    }
    output.append(UInt8(ascii: "]"))
  }

  private static func write<Element>(
    list: [Element], into output: inout [UInt8], _ write: (Element, inout [UInt8]) -> Void
  ) {
    output.append(UInt8(ascii: "["))
    for (index, element) in list.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      write(element, &output)
    }
    output.append(UInt8(ascii: "]"))
  }

  private static func write(_ number: Int64, into output: inout [UInt8]) { output += Array(String(number).utf8) }

  /// A JSON string in which nothing ends the element that it is in, or begins a comment there (HTML, section 13.1.2).
  private static func write(_ text: String, into output: inout [UInt8]) {
    for byte in JSONValue.string(text).line {
      switch byte {
      case UInt8(ascii: "<"): output += Array("\\u003c".utf8)
      case UInt8(ascii: ">"): output += Array("\\u003e".utf8)
      case UInt8(ascii: "&"): output += Array("\\u0026".utf8)
      default: output.append(byte)
      }
    }
  }
}
