/// Packets of GDB's remote serial protocol on their way to gdb (Debugging with GDB, appendix "Remote Protocol",
/// "Overview").
public enum Packet {
  /// The longest body that is taken or sent, in bytes: what `PacketSize` says.
  public static let sizeLimit = 0x4000

  static let start = UInt8(ascii: "$")
  static let end = UInt8(ascii: "#")
  static let escape = UInt8(ascii: "}")
  /// A byte that says how often the one before it is repeated.
  static let repetition = UInt8(ascii: "*")
  /// What an escaped byte is changed with.
  static let escapeMask: UInt8 = 0x20
  /// What gdb sends for Ctrl-C, outside of packets.
  static let interrupt: UInt8 = 0x03

  /// The packet with that body: `$`, the body with its special bytes escaped, `#`, and the sum in two digits.
  public static func framed(_ body: [UInt8]) -> [UInt8] {
    let escaped = escaped(body)
    let sum = escaped.reduce(0 as UInt8, &+)
    return [start] + escaped + [end] + hexDigits(of: [sum])
  }

  /// The body with its special bytes escaped.
  static func escaped(_ body: some Sequence<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    for byte in body {
      switch byte {
      case start, end, escape, repetition: bytes += [escape, byte ^ escapeMask]
      default: bytes.append(byte)
      }
    }
    return bytes
  }

  /// Two digits a byte.
  static func hexDigits(of bytes: some Sequence<UInt8>) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xf)]] }
  }

  /// The value of a hexadecimal digit of either case; nil for any other byte.
  static func value(ofDigit byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

/// Takes apart what gdb sends, byte by byte. Nothing that it is fed makes it keep more than one packet.
public struct PacketParser: Sendable {
  /// What the bytes so far amount to.
  public enum Event: Hashable, Sendable {
    /// A packet, with its escapes taken out.
    case packet([UInt8])
    /// `+`: the last reply has come through.
    case acknowledgement
    /// `-`: the last reply is wanted once more.
    case rejection
    /// Ctrl-C.
    case interrupt
    /// A packet whose checksum is wrong or not there.
    case damaged
    /// A packet of more than `limit` bytes; it has been passed over.
    case tooLong
  }

  private enum State: Hashable {
    /// Between packets.
    case outside
    /// In the body, after an escape or not.
    case body(isEscaped: Bool)
    /// After `#`.
    case firstDigit
    case secondDigit(first: UInt8)
  }

  private let limit: Int
  private var state = State.outside
  private var body: [UInt8] = []
  private var isTooLong = false
  private var sum: UInt8 = 0
  private var isCutOff = false

  /// A parser between packets.
  ///
  /// - Parameter limit: how many bytes a body may have.
  public init(limit: Int = Packet.sizeLimit) { self.limit = limit }

  /// Takes a byte.
  ///
  /// - Returns: what ends with it, if anything does.
  public mutating func take(_ byte: UInt8) -> Event? {
    switch state {
    case .outside: return takeOutside(byte)
    case .body(let isEscaped):
      take(byte, isEscaped: isEscaped)
      return nil
    case .firstDigit:
      state = .secondDigit(first: byte)
      return nil
    case .secondDigit(let first): return finish(first, byte)
    }
  }

  /// Bytes that mean nothing between packets are passed over: an older gdb sends some at the start.
  private mutating func takeOutside(_ byte: UInt8) -> Event? {
    switch byte {
    case Packet.start:
      begin()
      return nil
    case UInt8(ascii: "+"): return .acknowledgement
    case UInt8(ascii: "-"): return .rejection
    case Packet.interrupt: return .interrupt
    default: return nil
    }
  }

  private mutating func begin() {
    state = .body(isEscaped: false)
    body = []
    isTooLong = false
    isCutOff = false
    sum = 0
  }

  private mutating func take(_ byte: UInt8, isEscaped: Bool) {
    switch byte {
    // `$` is never part of a body: the packet before has lost its end.
    case Packet.start: return begin()
    case Packet.end:
      isCutOff = isEscaped
      state = .firstDigit
      return
    default: break
    }
    sum &+= byte
    if byte == Packet.escape, !isEscaped {
      state = .body(isEscaped: true)
      return
    }
    state = .body(isEscaped: false)
    guard body.count < limit else {
      isTooLong = true
      return
    }
    body.append(isEscaped ? byte ^ Packet.escapeMask : byte)
  }

  private mutating func finish(_ first: UInt8, _ second: UInt8) -> Event {
    defer {
      state = .outside
      body = []
    }
    guard let high = Packet.value(ofDigit: first), let low = Packet.value(ofDigit: second), !isCutOff,
      high << 4 | low == sum
    else { return .damaged }
    return isTooLong ? .tooLong : .packet(body)
  }
}

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
