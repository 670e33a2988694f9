/// An interrupt vector: which of the 256 IDT gates an interrupt enters through.
///
/// Vectors 0 to 15 are illegal for the local APIC; 16 to 31 are reserved for exceptions but can be
/// requested (SDM volume 3A, sections 12.5.2 and 12.8.4).
public struct Vector: RawRepresentable, Hashable, Sendable {
  /// The vector's number.
  public var rawValue: UInt8

  /// The vector with that number.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// Bits 7:4, which the local APIC compares with the processor priority (SDM volume 3A, section 12.8.3.1).
  public var priorityClass: UInt8 { rawValue >> 4 }
}

extension Vector: Comparable {
  /// Orders vectors by number, which is also their order of priority.
  public static func < (left: Vector, right: Vector) -> Bool { left.rawValue < right.rawValue }
}

extension Vector: ExpressibleByIntegerLiteral {
  /// The vector with that number, written as a literal.
  public init(integerLiteral value: UInt8) {
    self.init(rawValue: value)
  }
}

#if !hasFeature(Embedded)
extension Vector: CustomStringConvertible {
  /// The vector's number, as in `0x30`.
  public var description: String { hex(rawValue, digits: 2) }
}
#endif
