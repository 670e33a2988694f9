import JSON
import Testing

@Suite("JSON") struct ParserTests {
  private let limits = JSONLimits(bytes: 1 << 20, values: 1000, depth: 8, stringBytes: 100)

  private func parse(_ text: String) throws(JSONError) -> JSONValue {
    try JSONValue(parsing: Array(text.utf8), limits: limits)
  }

  @Test func `a document of every kind of value is read, and written as it was`() throws {
    let value = JSONValue.object([
      .init("null", .null), .init("flag", .bool(true)), .init("least", .number(.min)), .init("most", .number(.max)),
      .init("text", .string("\"\\/\u{7}é😀")), .init("list", .array([.array([]), .object([])])),
    ])
    #expect(try JSONValue(parsing: value.text, limits: limits) == value)
  }

  @Test(arguments: [
    (#""\u0041\u00e9\ud83d\ude00\b\f\n\r\t\/\\\"""#, "Aé😀\u{8}\u{c}\n\r\t/\\\""),
    (#""\uABCD\uabcd""#, "\u{abcd}\u{abcd}"),
    ("\"\u{7f}\"", "\u{7f}"),
  ])
  func `escapes are what RFC 8259 says`(_ text: String, _ string: String) throws {
    #expect(try parse(text) == .string(string))
  }

  @Test(arguments: [
    // RFC 8259, section 7: \u and four hexadecimal digits, which have no sign and no space.
    #""\u+12f""#, #""\u-12f""#, #""\u 12f""#, #""\u12""#, #""\u12g4""#, #""\U0041""#, #""\x41""#, #""\'""#,
    // Half a surrogate pair is no character.
    #""\ud800""#, #""\udc00""#, #""\ud800\ud800""#, #""\ud800x""#, #""\ud800\n""#, #""\ud83d\u+e00""#,
    "\"\u{1}\"", "\"\t\"", "\"\n\"", "\"", "\"\\",
    // Section 6: no plus, no leading zero, no bare sign, no other base.
    "+1", "-", "01", "-01", "00", "0x1", ".5", "1.", "1.5", "1e3", "--1", "9223372036854775808", "1 2", "NaN",
    "Infinity",
    // Sections 2 to 5.
    "", " ", "[1,]", "[,1]", "[1 2]", "[", "]", "{\"a\" 1}", "{\"a\":1,}", "{a:1}", "{1:1}", "{\"a\":}", "{",
    "True", "nul", "nulll", "// x\n1", "'a'", "\u{feff}1", "[1]\0", "\u{a0}1",
    "{\"a\":1,\"a\":2}", #"{"a":1,"\u0061":2}"#,
  ])
  func `what is not JSON is refused`(_ text: String) {
    #expect(throws: JSONError.self) { try parse(text) }
  }

  @Test func `bytes that are not UTF-8 are refused`() {
    for bytes: [UInt8] in [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]] {
      #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22] + bytes + [0x22], limits: limits) }
    }
  }

  @Test func `a document is refused at the first value that is too many`() throws {
    let most = "[" + Array(repeating: "[]", count: 999).joined(separator: ",") + "]"
    guard case .array(let values) = try parse(most) else { throw JSONError("no array") }
    #expect(values.count == 999)
    let error = #expect(throws: JSONError.self) { try parse("[" + most.dropFirst().dropLast() + ",[]]") }
    #expect(error?.problem.contains("more than 1000 values") ?? false)
  }

  @Test func `nesting, strings and the document have limits`() throws {
    let nested = String(repeating: "[", count: 8) + String(repeating: "]", count: 8)
    _ = try parse(nested)
    let deep = #expect(throws: JSONError.self) { try parse("[" + nested + "]") }
    #expect(deep?.problem.contains("nests deeper than 8") ?? false)
    let text = String(repeating: "x", count: 100)
    _ = try parse("\"\(text)\"")
    for long in ["\"x\(text)\"", "\"\\n\(text)\"", "{\"x\(text)\":1}"] {
      let error = #expect(throws: JSONError.self) { try parse(long) }
      #expect(error?.problem.contains("more than 100 bytes") ?? false, "\(error?.problem ?? "")")
    }
    let size = #expect(throws: JSONError.self) { try parse(String(repeating: " ", count: 1 << 20) + "1") }
    #expect(size?.problem.contains("at most 1048576 bytes") ?? false)
  }

  @Test func `what is wrong has its line and its column`() {
    #expect(throws: JSONError("line 3, column 5: no JSON: a value expected")) { try parse("[\n  1,\n    x]") }
  }
}

@Suite("Fields of a document") struct FieldTests {
  private struct Point: Equatable {
    var x: UInt32 = 0
    var label = ""
    var depth: UInt64?
    var isHidden = false

    static var fields: [Field<Point>] {
      [
        .hex("x", \.x), .text("label", \.label, atMost: 10), Field(ifAny: "depth", \.depth, .hex),
        Field.flag("isHidden", \.isHidden).formerly("hidden", beforeMinor: 2).since(minor: 1),
        .remark("kind") { _ in .string("point") },
      ]
    }
  }

  private func decode(_ text: String, minor: Int = 2) throws(JSONError) -> (point: Point, unknown: [String]) {
    let context = DecodingContext(minor: minor)
    let json = try JSONValue(parsing: Array(text.utf8), limits: JSONLimits(bytes: 10000, values: 100))
    let points = try JSONCoding.list(of: .object(Point.fields, Point()), atMost: 2).decode(json, context)
    return (points.first ?? Point(), context.unknownMembers)
  }

  @Test func `one declaration writes and reads`() throws {
    let point = Point(x: 7, label: "here", depth: nil, isHidden: true)
    let json = Point.fields.encode(point)
    #expect(
      String(decoding: json.text, as: UTF8.self)
        == "{\"x\": \"0x7\", \"label\": \"here\", \"isHidden\": true, \"kind\": \"point\"}\n")
    #expect(try JSONCoding.object(Point.fields, Point()).decode(json, DecodingContext()) == point)
  }

  @Test func `a member is demanded from its version on`() throws {
    let old = #"[{"x": "0x1", "label": ""}]"#
    #expect(try decode(old, minor: 0).point == Point(x: 1))
    #expect(throws: JSONError("it is missing", at: "[0].isHidden")) { try decode(old) }
  }

  @Test func `a member that was renamed is read by its former name in older documents alone`() throws {
    let old = #"[{"x": "0x1", "label": "", "hidden": true}]"#
    #expect(try decode(old, minor: 1).point.isHidden)
    #expect(throws: JSONError("it is missing", at: "[0].isHidden")) { try decode(old) }
  }

  @Test func `members that no field names are noted with their paths, in any order`() throws {
    let text = #"[{"new": [1], "isHidden": false, "label": "a", "x": "0x1", "later": null}]"#
    let (point, unknown) = try decode(text)
    #expect(point == Point(x: 1, label: "a"))
    #expect(unknown == ["[0].new", "[0].later"])
  }

  @Test(arguments: [
    (#"[{"x": "0x100000000", "label": ""}]"#, "[0].x: 0x100000000 has more than 32 bits"),
    (#"[{"x": "0x+1", "label": ""}]"#, "[0].x: a number such as"), (#"[{"x": 1}]"#, "[0].x: a string such as"),
    (#"[{"x": "0x1", "label": "long and longer"}]"#, "[0].label: at most 10 bytes"),
    (#"[1]"#, "[0]: an object expected"),
    (#"[1, 2, 3]"#, "at most 2 elements expected, not 3"), (#"{}"#, "an array expected"),
  ])
  func `a member that cannot be is refused with its path`(_ text: String, _ said: String) {
    let error = #expect(throws: JSONError.self) { try decode(text) }
    #expect(error.map { "\($0)".hasPrefix(said) } ?? false, "\(error.map { "\($0)" } ?? "")")
  }
}

/// Values as they are written on one line.
@Suite struct JSONLineTests {
  @Test func `a line has no blank and no line feed, and is the same value`() throws {
    let text = #"{ "a" : [ 1, -2, [], {} ], "b\n" : { "c" : null, "d" : true }, "e" : "x\u0001\"\\" }"#
    let limits = JSONLimits(bytes: 1024, values: 64)
    let value = try JSONValue(parsing: Array(text.utf8), limits: limits)
    #expect(
      String(decoding: value.line, as: UTF8.self)
        == #"{"a":[1,-2,[],{}],"b\u000a":{"c":null,"d":true},"e":"x\u0001\"\\"}"#)
    #expect(try JSONValue(parsing: value.line, limits: limits) == value)
  }
}
