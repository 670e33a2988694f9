/// A number of bytes as people read and write it: `64M`, `1G`, `512KiB`.
public struct ByteSize: Hashable, Sendable, CustomStringConvertible {
  /// How many bytes.
  public let bytes: UInt64

  /// That many bytes.
  public init(bytes: UInt64) { self.bytes = bytes }

  /// The unit of a number that is written without one.
  public enum Unit: UInt64, Sendable {
    /// Bytes.
    case byte = 0
    /// 1024 * 1024 bytes.
    case mebibyte = 20
  }

  /// The size that a text stands for.
  ///
  /// - Parameters:
  ///   - text: Decimal digits, then nothing or a unit of 1, 1024, 1024^2 or 1024^3 bytes, of either case: `B`, `K`, `KiB`,
  ///     `M`, `MiB`, `G`, `GiB`.
  ///   - unit: What a number without a unit counts.
  /// - Returns: nil for anything else, and for a size that 64 bits do not hold.
  public init?(_ text: String, defaultUnit unit: Unit = .byte) {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    let shift: UInt64
    switch text.dropFirst(digits.count).lowercased() {
    case "": shift = unit.rawValue
    case "b": shift = 0
    case "k", "kib": shift = 10
    case "m", "mib": shift = 20
    case "g", "gib": shift = 30
    default: return nil
    }
    guard let number = UInt64(digits), number <= UInt64.max >> shift else { return nil }
    bytes = number << shift
  }

  /// In the largest unit that divides it: `64 MiB`.
  public var description: String {
    for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] as [(UInt64, String)]
    where bytes >= 1 << shift && bytes % (1 << shift) == 0 {
      return "\(bytes >> shift) \(unit)"
    }
    return "\(bytes) B"
  }
}

extension Duration {
  /// The length of time that a text stands for, as people and timeout(1) write it: `10s`, `200ms`, `1.5m`, `1h`.
  ///
  /// - Parameter text: A decimal number, then `us`, `ms`, `s`, `m`, `min`, `h` or `d`; seconds where no unit follows.
  /// - Returns: nil for anything else, and for more than a day: that is longer than any guest here runs, and far from what
  ///   a `Duration` cannot hold.
  public init?(written text: String) {
    let digits = text.prefix { ($0.isASCII && $0.isNumber) || $0 == "." }
    let units = ["": 1, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400]
    guard let number = Double(digits), let unit = units[text.dropFirst(digits.count).lowercased()],
      number * unit <= 86_400
    else { return nil }
    self = .seconds(number * unit)
  }
}
