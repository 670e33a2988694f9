import JSON

/// The description of the devices' sections that a stream carries at its end, and the sections by it.
struct QEMUDescription {
  /// The devices that were wanted, in the order of the stream.
  private(set) var devices: [QEMUDevice] = []
  /// The names of all devices, in that order.
  private(set) var names: [String] = []

  private static let limits = JSONLimits(bytes: 48 << 20, values: 4 << 20)

  /// Takes the sections apart.
  ///
  /// - Parameters:
  ///   - stream: a stream.
  ///   - wanted: the names of the devices whose fields are wanted.
  init(_ stream: QEMUStream, wanted: Set<String>) throws(ForeignStateError) {
    let (document, end) = try Self.document(stream)
    var cursor = QEMUCursor(stream.tail, end: end, offset: stream.tailOffset)
    guard let list = document["devices"]?.elements else {
      throw cursor.failure("a list of devices expected in the description")
    }
    for device in list {
      let name = device["name"]?.text ?? ""
      // What was saved in parts before is described too, and has no full section.
      guard cursor.peek == QEMUStream.SectionType.full || cursor.peek == QEMUStream.SectionType.start else {
        throw cursor.failure("the section of \(name.debugDescription) expected")
      }
      cursor.skip(1)
      let number = try cursor.bytes(4)
      let found = try cursor.string()
      guard found == name else {
        throw cursor.failure("the section of \(name.debugDescription) expected, not of \(found.debugDescription)")
      }
      let instance = try cursor.integer(4)
      _ = try cursor.integer(4)
      var section = QEMUDevice(name: name, instance: UInt32(truncatingIfNeeded: instance))
      let isWanted = wanted.contains(name)
      try cursor.take(device, into: &section, prefix: "", isWanted: isWanted, depth: 0)
      guard try cursor.integer(1) == UInt64(QEMUStream.SectionType.footer), try cursor.bytes(4) == number else {
        throw cursor.failure("the footer of the section of \(name.debugDescription) expected")
      }
      names.append(name)
      if isWanted { devices.append(section) }
    }
    guard cursor.peek == QEMUStream.SectionType.end else {
      throw cursor.failure("the end of the sections (0) expected, as the description has it")
    }
  }

  /// The description, and where in the tail it begins: the last place where its mark, its length and a brace are.
  private static func document(_ stream: QEMUStream) throws(ForeignStateError) -> (JSONValue, Int) {
    let tail = stream.tail
    var problem = "a description of the devices expected at the end (suppress-vmdesc=off)"
    var place = max(tail.count - 6, 0)
    while place > 0 {
      place -= 1
      guard tail[place] == QEMUStream.SectionType.end, tail[place + 1] == QEMUStream.SectionType.description,
        place + 6 < tail.count, tail[place + 6] == UInt8(ascii: "{")
      else { continue }
      let length = tail[place + 2..<place + 6].reduce(0) { $0 << 8 | Int($1) }
      guard length > 0, length <= tail.count - place - 6 else {
        problem = "a description of \(length) bytes expected, and the file ends after \(tail.count - place - 6)"
        continue
      }
      do throws(JSONError) {
        return (try JSONValue(parsing: Array(tail[place + 6..<place + 6 + length]), limits: limits), place + 1)
      } catch {
        throw ForeignStateError(
          .qemu, at: stream.tailOffset + UInt64(place) + 6, "the description of the devices expected: \(error)")
      }
    }
    throw ForeignStateError(.qemu, at: stream.tailOffset + UInt64(tail.count), problem)
  }

  /// The devices with a name.
  func devices(named name: String) -> [QEMUDevice] { devices.filter { $0.name == name } }
}

/// A device's section: its fields by their paths, such as `env.segs[1].base`.
struct QEMUDevice {
  let name: String
  let instance: UInt32
  fileprivate(set) var fields: [String: [UInt8]] = [:]

  /// An unsigned integer, most significant byte first; nil where there is no such field.
  func number(_ path: String) -> UInt64? {
    fields[path].flatMap { $0.count <= 8 ? $0.reduce(0) { $0 << 8 | UInt64($1) } : nil }
  }

  /// A signed integer; nil where there is no such field.
  func signed(_ path: String) -> Int64? {
    guard let bytes = fields[path], let value = number(path), !bytes.isEmpty else { return nil }
    let shift = UInt64(64 - 8 * bytes.count)
    return Int64(bitPattern: value << shift) >> Int64(shift)
  }

  /// Whether it has fields whose paths begin so.
  func hasFields(below path: String) -> Bool { fields.keys.contains { $0.hasPrefix(path) } }

  /// The elements of an array.
  func numbers(_ path: String, count: Int) -> [UInt64]? {
    let values = (0..<count).compactMap { number("\(path)[\($0)]") }
    return values.count == count ? values : nil
  }
}

/// Goes through the sections of devices.
private struct QEMUCursor {
  private let bytes: [UInt8]
  private let end: Int
  private let offset: UInt64
  private var next = 0
  private var fieldCount = 0

  private static let fieldLimit = 2 << 20

  init(_ bytes: [UInt8], end: Int, offset: UInt64) {
    self.bytes = bytes
    self.end = end
    self.offset = offset
  }

  func failure(_ problem: String) -> ForeignStateError {
    ForeignStateError(.qemu, at: offset + UInt64(next), problem)
  }

  var peek: UInt8? { next < end ? bytes[next] : nil }

  mutating func skip(_ count: Int) { next += min(count, end - next) }

  mutating func bytes(_ count: Int) throws(ForeignStateError) -> [UInt8] {
    guard count >= 0, count <= end - next else { throw failure("\(count) bytes of a device expected") }
    next += count
    return Array(bytes[next - count..<next])
  }

  mutating func integer(_ size: Int) throws(ForeignStateError) -> UInt64 {
    try bytes(size).reduce(0) { $0 << 8 | UInt64($1) }
  }

  mutating func string() throws(ForeignStateError) -> String {
    let length = try integer(1)
    return String(decoding: try bytes(Int(length)), as: UTF8.self)
  }

  /// Takes the fields of a structure, then its subsections.
  mutating func take(
    _ structure: JSONValue, into device: inout QEMUDevice, prefix: String, isWanted: Bool, depth: Int
  ) throws(ForeignStateError) {
    guard depth < 16 else { throw failure("structures of at most 16 levels expected") }
    for field in structure["fields"]?.elements ?? [] {
      try take(field: field, into: &device, prefix: prefix, isWanted: isWanted, depth: depth)
    }
    for subsection in structure["subsections"]?.elements ?? [] {
      let name = subsection["vmsd_name"]?.text ?? ""
      guard try integer(1) == UInt64(QEMUStream.SectionType.subsection), try string() == name else {
        throw failure("the subsection \(name.debugDescription) expected")
      }
      _ = try integer(4)
      try take(subsection, into: &device, prefix: prefix, isWanted: isWanted, depth: depth + 1)
    }
  }

  private mutating func take(
    field: JSONValue, into device: inout QEMUDevice, prefix: String, isWanted: Bool, depth: Int
  ) throws(ForeignStateError) {
    guard let name = field["name"]?.text, let size = field["size"]?.integer, size >= 0, size <= Int64(end - next) else {
      throw failure("a field with a size that the file has room for expected in the description")
    }
    let count = field["array_len"]?.integer
    guard (0...Int64(end - next + 1)).contains(count ?? 1), size > 0 || (count ?? 1) <= 4096 else {
      throw failure("an array that the file has room for expected in the description")
    }
    let nested = field["struct"] ?? (field["fields"] == nil ? nil : field)
    // An element of an array that is described by itself says which.
    let index = field["index"]?.integer
    for element in 0..<(count ?? 1) {
      let start = next
      let suffix = count != nil ? "[\(element)]" : index.map { "[\($0)]" } ?? ""
      let path = isWanted ? prefix + name + suffix : ""
      if let nested, isWanted {
        try take(nested, into: &device, prefix: path + ".", isWanted: true, depth: depth + 1)
        guard next - start == Int(size) else { throw failure("\(path) of \(size) bytes expected") }
      } else if isWanted, size <= 4096 {
        fieldCount += 1
        guard fieldCount <= Self.fieldLimit else { throw failure("at most \(Self.fieldLimit) fields expected") }
        device.fields[path] = try bytes(Int(size))
      } else {
        _ = try skipExactly(Int(size))
      }
    }
  }

  private mutating func skipExactly(_ count: Int) throws(ForeignStateError) {
    guard count <= end - next else { throw failure("\(count) bytes of a device expected") }
    next += count
  }
}

extension JSONValue {
  subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  var elements: [JSONValue]? {
    guard case .array(let elements) = self else { return nil }
    return elements
  }

  var text: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  var integer: Int64? {
    guard case .number(let number) = self else { return nil }
    return number
  }
}
