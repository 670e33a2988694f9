import APIC
import Evidence
import JSON
import Support

/// A timeline as a page of its own, which asks the network for nothing.
///
/// It has room for as much as a browser shows at ease; what comes beyond that is counted, and the page says so.
struct PageWriter: TimelineWriter {
  /// How many things of each kind a page has.
  struct Room: Sendable {
    var stays = 800_000
    var journeys = 200_000
    var others = 200_000
  }

  /// How many bytes of a foreign text are written.
  private static let textLimit = 400
  /// How many words are numbered; those beyond that, which only hostile numbers come to, are one.
  private static let wordLimit = 20_000

  private var room: Room
  private var leftOut: Int64 = 0
  private var rows = PageRows()
  private var words: [String: Int64] = [:]
  private var hasBegun = false

  init(room: Room = Room()) { self.room = room }

  mutating func begin(_ machine: TimelineMachine, _ number: Int, into output: inout [UInt8]) {
    beginPage(&output)
    let name = Escape.shown(machine.name, atMost: Self.textLimit)
    rows.write("m", [.number(Int64(number)), .text(name), .number(Int64(machine.vcpuIDs.count))], into: &output)
  }

  mutating func add(_ item: TimelineItem, of number: Int, into output: inout [UInt8]) {
    switch item {
    case .stay(let stay): if take(\.stays) { add(stay, number, &output) }
    case .occupancy(let occupancy):
      guard take(\.others) else { return }
      rows.write(
        "o",
        [
          .number(Int64(number)), .number(Int64(occupancy.vcpu)), .number(occupancy.time),
          .number(Int64(occupancy.requested)), .number(Int64(occupancy.inService)),
        ], into: &output)
    case .mark(let mark):
      guard take(\.others) else { return }
      rows.write("k", [.number(Int64(number)), .number(mark.time), .text(mark.text)], into: &output)
    case .journey(let journey): if take(\.journeys) { add(journey, number, &output) }
    }
  }

  mutating func end(_ number: Int, notes: [String], into output: inout [UInt8]) {
    let notes = notes.map { Escape.shown($0, atMost: Self.textLimit) }
    rows.write("e", [.number(Int64(number)), .texts(notes)], into: &output)
  }

  mutating func finish(into output: inout [UInt8]) {
    beginPage(&output)
    rows.write("l", [.number(leftOut)], into: &output)
    rows.end(into: &output)
    output += Array("<script>\n".utf8)
    for part in [
      PackageResources.data_js, PackageResources.view_js, PackageResources.draw_js, PackageResources.journeys_js,
      PackageResources.panel_js,
    ] { output += part }
    output += Array("</script>\n</body>\n</html>\n".utf8)
  }

  private mutating func add(_ stay: TimelineStay, _ number: Int, _ output: inout [UInt8]) {
    let values: [PageRows.Value] = [
      .number(Int64(number)), .number(Int64(stay.vcpu)), .number(stay.start), .number(max(0, stay.end - stay.start)),
    ]
    switch stay.place {
    case .guest: rows.write("s", values + [.number(-1)], into: &output)
    case .outside(let exit): rows.write("s", values + [.number(word(exit, &output))], into: &output)
    case .halted(let slept): rows.write("h", values + [.number(slept ? 1 : 0)], into: &output)
    }
  }

  private mutating func add(_ journey: TimelineJourney, _ number: Int, _ output: inout [UInt8]) {
    let facts = journey.journey
    var sender: Int64?
    if case .ipi(let vcpu?) = facts.source { sender = Int64(vcpu) }
    let from = word(journey.origin, &output)
    let way = word(journey.way, &output)
    let exit = journey.exit.map { word($0, &output) } ?? -1
    rows.write(
      "j",
      [
        .number(Int64(number)), .number(Int64(journey.number)), .number(Int64(facts.vcpu)),
        .number(Int64(facts.vector.rawValue)),
        .numbers([facts.accepted, facts.posted, facts.wokenUp, facts.injected, facts.taken, facts.ended]),
        .number(sender ?? -1), .number(from), .number(way), .number(exit), .number(Int64(facts.coalesced)),
      ], into: &output)
  }

  /// A word's number, by which rows refer to it.
  private mutating func word(_ text: String, _ output: inout [UInt8]) -> Int64 {
    if let number = words[text] { return number }
    let text = words.count < Self.wordLimit ? text : "others"
    if let number = words[text] { return number }
    let number = Int64(words.count)
    words[text] = number
    // What an exit's name says is told here, for the page to have no rule of its own.
    rows.write(
      "w", [.text(Escape.shown(text, atMost: Self.textLimit)), .text(ExitClass(text).rawValue)], into: &output)
    return number
  }

  private mutating func take(_ kind: WritableKeyPath<Room, Int>) -> Bool {
    guard room[keyPath: kind] > 0 else {
      leftOut += 1
      return false
    }
    room[keyPath: kind] -= 1
    return true
  }

  /// Nothing in the page can ask for anything from elsewhere: its policy forbids it.
  private mutating func beginPage(_ output: inout [UInt8]) {
    guard !hasBegun else { return }
    hasBegun = true
    output += Array(
      """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width">
      <title>Lapwing timeline</title>
      <style>

      """.utf8)
    output += PackageResources.page_css
    output += Array("</style>\n</head>\n<body>\n".utf8)
    output += PackageResources.head_html
  }
}

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
