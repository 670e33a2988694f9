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
