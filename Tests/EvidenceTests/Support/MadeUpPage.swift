@testable import Evidence

/// A page of the ring buffer, as the kernel would write it.
struct MadeUpPage {
  private var time: UInt64
  private let start: UInt64
  private(set) var data: [UInt8] = []
  /// What is put over the count of bytes: flags.
  var flags: UInt64 = 0
  /// How many events are said to be lost before it.
  var missed: UInt64?

  init(at time: UInt64 = 1000) {
    self.time = time
    start = time
  }

  /// The whole page.
  var bytes: [UInt8] {
    var page = Self.little(start) + Self.little(UInt64(data.count) | flags) + data
    if let missed { page += Self.little(missed) }
    return page + [UInt8](repeating: 0, count: 4096 - page.count)
  }

  static func little(_ value: some FixedWidthInteger) -> [UInt8] {
    (0..<(value.bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }

  mutating func word(_ kind: UInt32, _ delta: UInt64) {
    data += Self.little(kind | UInt32(truncatingIfNeeded: delta) << 5)
  }

  /// An event so much later, whose fields are these bytes.
  mutating func add(after delta: UInt64 = 10, _ payload: [UInt8]) {
    var payload = payload
    while !payload.count.isMultiple(of: 4) { payload.append(0) }
    word(UInt32(payload.count / 4), delta)
    data += payload
  }

  /// An event with a length of its own, as large ones have it.
  mutating func addLarge(after delta: UInt64 = 10, _ payload: [UInt8]) {
    word(0, delta)
    data += Self.little(UInt32(payload.count + 4)) + payload
  }

  mutating func extendTime(by delta: UInt64) {
    word(30, delta & 0x7ff_ffff)
    data += Self.little(UInt32(delta >> 27))
  }

  mutating func stamp(_ time: UInt64) {
    word(31, time & 0x7ff_ffff)
    data += Self.little(UInt32(truncatingIfNeeded: time >> 27))
  }

  /// An event that was taken back.
  mutating func discard(after delta: UInt64, bytes count: Int) {
    word(29, delta)
    data += Self.little(UInt32(count + 4)) + [UInt8](repeating: 0xee, count: count)
  }

  /// The rest of the page is empty.
  mutating func pad() { word(29, 0) }
}

extension EventFormat {
  /// An event of this format: on a thread, with these fields.
  func payload(thread: Int32, _ values: [String: UInt64]) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: fields.values.map(\.end).max() ?? 0)
    let common = ["common_type": UInt64(id), "common_pid": UInt64(truncatingIfNeeded: thread)]
    for (name, value) in values.merging(common, uniquingKeysWith: { $1 }) {
      guard let field = fields[name] else { continue }
      for index in 0..<field.size { bytes[field.offset + index] = UInt8(truncatingIfNeeded: value >> (index * 8)) }
    }
    return bytes
  }
}
