import Support

/// What a tracepoint's `format` file says (kernel, Documentation/trace/events.rst, section 4; `f_show`): its number and
/// where its fields are. They differ from kernel to kernel, so no offset is written down here.
struct EventFormat: Hashable, Sendable {
  /// The tracepoint's name.
  let name: String
  /// Its number in the ring buffer, until the next boot.
  let id: UInt16
  /// Its fields by name, the common ones included. Fields of other sizes than a number has are left out.
  let fields: [String: EventField]
  /// How the kernel prints one, which has the names of values.
  let printFormat: String

  /// A field that is further from the beginning is in no event: more than the largest page.
  static let sizeLimit = 1 << 16

  /// The format in such a file's bytes; nil where they are not of one.
  init?(parsing bytes: RawSpan) {
    let text = String(formatText: bytes)
    var name: Substring?
    var id: UInt16?
    var fields: [String: EventField] = [:]
    var printFormat = Substring()
    for line in text.asciiLines {
      if let value = line.value(behind: "name: ") {
        name = value
      } else if let value = line.value(behind: "ID: ") {
        id = UInt16(value)
      } else if let value = line.value(behind: "print fmt: ") {
        printFormat = value
      } else if let (field, place) = EventField.named(in: line) {
        fields[field] = place
      }
    }
    guard let name, !name.isEmpty, let id, !fields.isEmpty else { return nil }
    self.name = String(name)
    self.id = id
    self.fields = fields
    self.printFormat = String(printFormat)
  }
}

extension EventField {
  /// The field that a line of a format tells of: `field:unsigned char vec;	offset:16;	size:1;	signed:0;`. nil for any other
  /// line, and for a field that is no number.
  static func named(in line: Substring) -> (String, EventField)? {
    // By bytes: a format is read again for every trace instance, and characters take their time.
    let parts = line.utf8.split(separator: UInt8(ascii: ";")).map { part in
      Substring(part.drop { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") })
    }
    guard let declaration = parts.first?.value(behind: "field:"),
      let name = declaration.utf8.split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "*") }).last,
      let offset = parts.firstValue(behind: "offset:").flatMap({ Int($0) }),
      let size = parts.firstValue(behind: "size:").flatMap({ Int($0) }), [1, 2, 4, 8].contains(size),
      (0...EventFormat.sizeLimit).contains(offset)
    else { return nil }
    let isSigned = parts.firstValue(behind: "signed:") == "1"
    return (String(Substring(name)), EventField(offset: offset, size: size, isSigned: isSigned))
  }
}

extension [Substring] {
  fileprivate func firstValue(behind key: String) -> Substring? {
    for part in self { if let value = part.value(behind: key) { return value } }
    return nil
  }
}

extension Substring {
  /// What comes behind a beginning; nil where the text begins otherwise.
  fileprivate func value(behind key: String) -> Substring? {
    utf8.starts(with: key.utf8) ? Substring(utf8.dropFirst(key.utf8.count)) : nil
  }
}

extension String {
  /// The text of a format file; what is no UTF-8 is replaced.
  init(formatText bytes: RawSpan) {
    // Sound: the bytes are not kept.
    self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// Its lines, without those that are empty.
  var asciiLines: [Substring] { utf8.split(separator: UInt8(ascii: "\n")).map { Substring($0) } }
}
