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
