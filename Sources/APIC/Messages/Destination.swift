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

extension Destination {
  /// Every local APIC, when they are in xAPIC mode (SDM volume 3A, section 12.6.2.1).
  ///
  /// Until `KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK` is set, KVM takes it for every local APIC in x2APIC mode too (KVM API,
  /// section 7.7).
  public static var xAPICBroadcast: Destination { .physical(0xff) }

  /// Every local APIC, when they are in x2APIC mode (SDM volume 3A, section 12.12.9).
  public static var x2APICBroadcast: Destination { .physical(0xffff_ffff) }

  /// Local APICs in xAPIC mode with the flat model (SDM volume 3A, section 12.6.2.2).
  ///
  /// - Parameter members: Bit _n_ selects the local APICs whose logical ID has bit _n_.
  public static func xAPICFlat(members: UInt8) -> Destination {
    .logical(UInt32(members))
  }

  /// Local APICs of one cluster in xAPIC mode with the cluster model (SDM volume 3A, section 12.6.2.2).
  ///
  /// - Parameters:
  ///   - cluster: 0 to 14; 15 is every cluster.
  ///   - members: 0 to 15. Bit _n_ selects member _n_ of the cluster.
  public static func xAPICCluster(cluster: UInt8, members: UInt8) -> Destination {
    .logical(UInt32(cluster & 0xf) << 4 | UInt32(members & 0xf))
  }

  /// Local APICs of one cluster in x2APIC mode (SDM volume 3A, section 12.12.10.1).
  ///
  /// - Parameters:
  ///   - cluster: Bits 19:4 of the members' x2APIC IDs.
  ///   - members: Bit _n_ selects the member whose x2APIC ID ends in _n_.
  public static func x2APICCluster(cluster: UInt16, members: UInt16) -> Destination {
    .logical(UInt32(cluster) << 16 | UInt32(members))
  }

  /// One local APIC in x2APIC mode, addressed by its logical ID.
  ///
  /// - Parameter id: Its x2APIC ID.
  public static func x2APICLogical(id: UInt32) -> Destination {
    .logical(x2APICLogicalID(of: id))
  }

  /// The logical ID that the hardware derives from an x2APIC ID: what its LDR reads (SDM volume 3A, section 12.12.10.2).
  ///
  /// - Parameter id: The x2APIC ID, of which bits 31:20 do not take part.
  public static func x2APICLogicalID(of id: UInt32) -> UInt32 {
    id[bits: 4...19] << 16 | 1 << id[bits: 0...3]
  }

  /// Whether the destination is every local APIC.
  ///
  /// - Parameter mode: The mode that the sender's local APIC is in.
  public func isBroadcast(in mode: APICMode) -> Bool {
    let everyone = mode == .x2APIC ? Destination.x2APICBroadcast : .xAPICBroadcast
    return identifier == everyone.identifier
  }
}

/// What an interrupt message does to the processor that it reaches (SDM volume 3A, sections 12.5.1, 12.6.1 and 12.11.2).
///
/// Encoding 3 is reserved. Registers that may hold it give their mode as an optional, where `nil` is that encoding.
public enum DeliveryMode: UInt8, Sendable {
  /// Delivers the vector to every processor of the destination.
  case fixed = 0
  /// Delivers the vector to one processor of the destination.
  case lowestPriority = 1
  /// Raises a system-management interrupt.
  case smi = 2
  /// Raises a non-maskable interrupt; the vector is ignored.
  case nmi = 4
  /// Resets the processor to wait for a start-up message: an INIT.
  case initialize = 5
  /// Starts the processor in the 4 KiB page that the vector names: a SIPI.
  case startUp = 6
  /// Takes the vector from an external controller: an ExtINT.
  case external = 7

  /// The encoding that means no mode.
  static var reservedEncoding: UInt8 { 3 }
}

#if !hasFeature(Embedded)
extension DeliveryMode: CaseIterable {}

extension DeliveryMode: CustomStringConvertible {
  /// The mode's name in the SDM.
  public var description: String {
    switch self {
    case .fixed: "Fixed"
    case .lowestPriority: "Lowest Priority"
    case .smi: "SMI"
    case .nmi: "NMI"
    case .initialize: "INIT"
    case .startUp: "Start Up"
    case .external: "ExtINT"
    }
  }
}
#endif

/// Whether an interrupt is a moment or a state (SDM volume 3A, sections 12.5.1 and 12.8.4).
public enum TriggerMode: UInt8, Sendable {
  /// Each rising edge is one interrupt.
  case edge = 0
  /// The interrupt stays pending for as long as its source asserts it, and an EOI is broadcast to the IOAPICs.
  case level = 1
}

/// The electrical level at which a pin is asserted (SDM volume 3A, section 12.5.1).
public enum Polarity: UInt8, Sendable {
  /// Asserted at the high level.
  case activeHigh = 0
  /// Asserted at the low level, as PCI interrupt pins are.
  case activeLow = 1
}

#if !hasFeature(Embedded)
extension TriggerMode: CaseIterable {}
extension Polarity: CaseIterable {}
#endif
