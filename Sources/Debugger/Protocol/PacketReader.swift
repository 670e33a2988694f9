/// Reads the fields of a packet from its start to its end.
struct PacketReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: some Collection<UInt8>) { rest = ArraySlice(bytes) }

  /// Whether there is nothing left.
  var isAtEnd: Bool { rest.isEmpty }

  /// All that is left.
  mutating func remainder() -> [UInt8] {
    defer { rest = [] }
    return Array(rest)
  }

  /// All that is left, as text; bytes that are not UTF-8 are replaced.
  mutating func text() -> String { String(decoding: remainder(), as: UTF8.self) }

  /// Takes a text that comes next; says whether it did.
  mutating func take(_ text: StaticString) -> Bool {
    let wanted = text.description.utf8
    guard rest.starts(with: wanted) else { return false }
    rest = rest.dropFirst(wanted.count)
    return true
  }

  /// Takes the next byte.
  mutating func byte() -> UInt8? { rest.popFirst() }

  /// Takes a number of 1 to 16 hexadecimal digits; nil where there is none, or a longer one.
  mutating func number() -> UInt64? {
    var value: UInt64 = 0
    var count = 0
    while let digit = rest.first.flatMap(Packet.value(ofDigit:)) {
      guard count < 16 else { return nil }
      value = value << 4 | UInt64(digit)
      count += 1
      rest.removeFirst()
    }
    return count > 0 ? value : nil
  }

  /// Takes all that is left as bytes of two digits each; nil where there is something else or half a byte.
  mutating func bytes() -> [UInt8]? {
    guard rest.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(rest.count / 2)
    var digits = rest.makeIterator()
    while let first = digits.next(), let second = digits.next() {
      guard let high = Packet.value(ofDigit: first), let low = Packet.value(ofDigit: second) else { return nil }
      bytes.append(high << 4 | low)
    }
    rest = []
    return bytes
  }

  /// Takes what comes before the next of those bytes, or all that is left.
  mutating func field(upTo separator: UInt8) -> ArraySlice<UInt8> {
    let field = rest.prefix { $0 != separator }
    rest = rest.dropFirst(field.count)
    return field
  }

  /// Takes a thread id: `-1` for all, `0` for any, or a number. One with a process (`p1.2`) is not agreed on.
  mutating func thread() -> ThreadSelection? {
    if take("-1") { return .all }
    guard let number = number() else { return nil }
    guard number > 0 else { return .any }
    return Int(exactly: number).map { .one($0 - 1) }
  }
}

/// The threads that a packet is about. A vCPU is a thread, whose id is its index and 1.
public enum ThreadSelection: Hashable, Sendable {
  /// All of them (-1).
  case all
  /// Whichever (0).
  case any
  /// The vCPU with that index.
  case one(Int)
}
