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
