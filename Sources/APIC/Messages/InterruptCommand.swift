/// What a processor writes to the interrupt command register, the ICR, to send an interprocessor interrupt (SDM volume
/// 3A, section 12.6.1; for x2APIC mode section 12.12.9).
public struct InterruptCommand: RawRepresentable, Hashable, Sendable {
  /// The register as x2APIC mode has it, with the destination in bits 63:32.
  public var rawValue: UInt64

  /// The command that an ICR in x2APIC mode holds.
  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// The command that a pair of xAPIC registers holds.
  ///
  /// - Parameters:
  ///   - xAPICHigh: The register at offset 0x310, with the destination in bits 31:24.
  ///   - low: The register at offset 0x300.
  public init(xAPICHigh: UInt32, low: UInt32) {
    self.init(rawValue: UInt64(xAPICHigh >> 24) << 32 | UInt64(low))
  }

  /// A command made of its fields.
  ///
  /// - Parameters:
  ///   - vector: The vector, or for a start-up message the number of the page.
  ///   - deliveryMode: What the message does.
  ///   - destination: Where it goes, unless the shorthand says so.
  ///   - shorthand: A destination that needs no address.
  ///   - isAsserted: The level; only an INIT level de-assert has `false`.
  ///   - triggerMode: The trigger mode; only an INIT level de-assert has `level`.
  public init(
    vector: Vector = 0, deliveryMode: DeliveryMode = .fixed, destination: Destination = .physical(0),
    shorthand: DestinationShorthand = .none, isAsserted: Bool = true, triggerMode: TriggerMode = .edge
  ) {
    self.init(rawValue: 0)
    self.vector = vector
    self.deliveryMode = deliveryMode
    self.destination = destination
    self.shorthand = shorthand
    self.isAsserted = isAsserted
    self.triggerMode = triggerMode
  }

  /// The xAPIC register at offset 0x310; of the destination it carries the low 8 bits.
  public var xAPICHigh: UInt32 { destination.identifier << 24 }

  /// The xAPIC register at offset 0x300.
  ///
  /// Writing it sends the message, so it is written last.
  public var xAPICLow: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}

extension InterruptCommand {
  /// Bits 7:0.
  public var vector: Vector {
    get { rawValue.vector }
    set { rawValue.vector = newValue }
  }

  /// Bits 10:8; `nil` is the reserved encoding.
  public var deliveryMode: DeliveryMode? {
    get { rawValue.deliveryMode }
    set { rawValue.deliveryMode = newValue }
  }

  /// Bit 11 and bits 63:32.
  public var destination: Destination {
    get { Destination(UInt32(truncatingIfNeeded: rawValue >> 32), mode: rawValue.destinationMode) }
    set {
      rawValue.destinationMode = newValue.mode
      rawValue[bits: 32...63] = UInt64(newValue.identifier)
    }
  }

  /// Bit 12, the delivery status: in xAPIC mode, whether the message is still to be sent; read-only to software.
  public var deliveryPending: Bool {
    get { rawValue.isPending }
    set { rawValue.isPending = newValue }
  }

  /// Bit 14, the level.
  public var isAsserted: Bool {
    get { rawValue.isAsserted }
    set { rawValue.isAsserted = newValue }
  }

  /// Bit 15.
  public var triggerMode: TriggerMode {
    get { rawValue.triggerMode }
    set { rawValue.triggerMode = newValue }
  }

  /// Bits 19:18.
  public var shorthand: DestinationShorthand {
    get { DestinationShorthand(field: rawValue[bits: 18...19]) }
    set { rawValue[bits: 18...19] = UInt64(newValue.rawValue) }
  }
}

/// A destination that the sender knows without an address (SDM volume 3A, section 12.6.1).
public enum DestinationShorthand: UInt8, Sendable {
  /// The destination field says where.
  case none = 0
  /// The sender itself.
  case `self` = 1
  /// Every local APIC.
  case allIncludingSelf = 2
  /// Every local APIC but the sender.
  case allExcludingSelf = 3

  /// The shorthand in bits 1:0; the bits above are ignored.
  init(field: UInt64) {
    switch field & 3 {
    case 0: self = .none
    case 1: self = .`self`
    case 2: self = .allIncludingSelf
    default: self = .allExcludingSelf
    }
  }
}

#if !hasFeature(Embedded)
extension DestinationShorthand: CaseIterable {}
#endif

extension InterruptCommand {
  /// A fixed interrupt.
  ///
  /// - Parameters:
  ///   - vector: 16 to 255; a lower one is an error that the ESR records.
  ///   - destination: The processors that get it.
  public static func interrupt(_ vector: Vector, to destination: Destination) -> InterruptCommand {
    InterruptCommand(vector: vector, destination: destination)
  }

  /// A fixed interrupt to the sender itself.
  ///
  /// - Parameter vector: 16 to 255; a lower one is an error that the ESR records.
  public static func toSelf(_ vector: Vector) -> InterruptCommand {
    InterruptCommand(vector: vector, shorthand: .`self`)
  }

  /// A non-maskable interrupt.
  ///
  /// - Parameter destination: The processors that get it.
  public static func nmi(to destination: Destination) -> InterruptCommand {
    InterruptCommand(deliveryMode: .nmi, destination: destination)
  }

  /// An INIT, after which the processor waits for a start-up message (SDM volume 3A, section 10.4).
  ///
  /// - Parameter destination: The processors that get it.
  public static func initialize(to destination: Destination) -> InterruptCommand {
    InterruptCommand(deliveryMode: .initialize, destination: destination)
  }

  /// A start-up message, a SIPI (SDM volume 3A, section 10.4).
  ///
  /// - Parameters:
  ///   - page: The 4 KiB page below 1 MiB in which the processor starts, in real mode.
  ///   - destination: The processors that get it.
  public static func startUp(page: UInt8, to destination: Destination) -> InterruptCommand {
    InterruptCommand(vector: Vector(rawValue: page), deliveryMode: .startUp, destination: destination)
  }
}

#if !hasFeature(Embedded)
extension InterruptCommand: CustomStringConvertible {
  /// The command's fields, as in `Fixed 0x40 to physical 1` and `Start Up 0x08 to all excluding self`.
  public var description: String {
    let status = rawValue.levelDescription + (deliveryPending ? ", send pending" : "")
    return "\(rawValue.deliveryDescription) to \(recipients)\(status)"
  }

  private var recipients: String {
    switch shorthand {
    case .none: destination.description
    case .`self`: "self"
    case .allIncludingSelf: "all including self"
    case .allExcludingSelf: "all excluding self"
    }
  }
}
#endif
