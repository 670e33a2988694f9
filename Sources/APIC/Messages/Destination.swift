/// The local APICs that a message is addressed to (SDM volume 3A, sections 12.6.2 and 12.12.10).
public enum Destination: Hashable, Sendable {
  /// The local APIC with that ID: 8 bits in xAPIC mode, 32 in x2APIC mode.
  case physical(UInt32)
  /// The local APICs that recognize that message destination address: 8 bits in xAPIC mode, 32 in x2APIC mode.
  case logical(UInt32)

  /// The destination that a register's mode bit and destination field stand for.
  ///
  /// - Parameters:
  ///   - identifier: The destination field, moved down to bit 0.
  ///   - mode: The destination mode bit.
  public init(_ identifier: UInt32, mode: DestinationMode) {
    switch mode {
    case .physical: self = .physical(identifier)
    case .logical: self = .logical(identifier)
    }
  }

  /// The destination field.
  public var identifier: UInt32 {
    switch self {
    case .physical(let identifier), .logical(let identifier): identifier
    }
  }

  /// How the destination field is read.
  public var mode: DestinationMode {
    switch self {
    case .physical: .physical
    case .logical: .logical
    }
  }
}

/// How a destination field is read (SDM volume 3A, section 12.6.2).
public enum DestinationMode: UInt8, Sendable {
  /// As an APIC ID.
  case physical = 0
  /// As a message destination address, which each local APIC compares with its logical ID.
  case logical = 1
}

#if !hasFeature(Embedded)
extension DestinationMode: CaseIterable {}

extension Destination: CustomStringConvertible {
  /// The mode and the field, as in `physical 1` and `logical 0x3`.
  public var description: String {
    switch self {
    case .physical(let identifier): "physical \(identifier)"
    case .logical(let identifier): "logical \(hex(identifier))"
    }
  }
}
#endif
