/// Where an IOAPIC lies in memory, and what lies there (82093AA data sheet, section 3.1).
public enum IOAPIC {
  /// Where the first IOAPIC of a PC lies, and where KVM puts its own.
  public static var defaultAddress: UInt64 { 0xfec0_0000 }

  /// The pins of the 82093AA and of KVM's IOAPIC (`KVM_IOAPIC_NUM_PINS`).
  public static var pinCount: Int { 24 }

  /// The offset of IOREGSEL, which takes the index of an `IOAPICRegister`.
  public static var registerSelectOffset: UInt64 { 0x00 }

  /// The offset of IOWIN, through which the selected register is read and written.
  public static var windowOffset: UInt64 { 0x10 }

  /// The offset of the EOI register, which takes a vector; only chips of version 0x20 and above have it.
  public static var endOfInterruptOffset: UInt64 { 0x40 }
}

/// A register of an IOAPIC, by the index that selects it (82093AA data sheet, section 3.2).
public struct IOAPICRegister: RawRepresentable, Hashable, Sendable {
  /// The index, which software writes to IOREGSEL.
  public var rawValue: UInt8

  /// The register with that index.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// IOAPICID: the chip's ID in bits 27:24.
  public static var id: IOAPICRegister { IOAPICRegister(rawValue: 0x00) }

  /// IOAPICVER, whose fields are `IOAPICVersion`.
  public static var version: IOAPICRegister { IOAPICRegister(rawValue: 0x01) }

  /// IOAPICARB: the arbitration ID in bits 27:24.
  public static var arbitration: IOAPICRegister { IOAPICRegister(rawValue: 0x02) }

  /// IOREDTBL: bits 31:0 of a pin's redirection entry.
  ///
  /// - Parameter pin: 0 to `IOAPICVersion.maxRedirectionEntry`.
  public static func redirectionLow(pin: Int) -> IOAPICRegister {
    IOAPICRegister(rawValue: UInt8(truncatingIfNeeded: 0x10 + 2 * pin))
  }

  /// IOREDTBL: bits 63:32 of a pin's redirection entry.
  ///
  /// - Parameter pin: 0 to `IOAPICVersion.maxRedirectionEntry`.
  public static func redirectionHigh(pin: Int) -> IOAPICRegister {
    IOAPICRegister(rawValue: UInt8(truncatingIfNeeded: 0x11 + 2 * pin))
  }
}

/// An IOAPIC's version register (82093AA data sheet, section 3.2.2).
public struct IOAPICVersion: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public var rawValue: UInt32

  /// The fields of that value of the register.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Bits 7:0; from 0x20 on the chip has an EOI register.
  public var version: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue) }
    set { rawValue[bits: 0...7] = UInt32(newValue) }
  }

  /// Bits 23:16: one less than the number of pins.
  public var maxRedirectionEntry: UInt8 {
    get { UInt8(truncatingIfNeeded: rawValue[bits: 16...23]) }
    set { rawValue[bits: 16...23] = UInt32(newValue) }
  }
}

/// An entry of an IOAPIC's redirection table: what a pin sends (82093AA data sheet, section 3.2.4).
public struct RedirectionEntry: RawRepresentable, Hashable, Sendable {
  /// The entry's 64 bits.
  public var rawValue: UInt64

  /// The fields of those 64 bits.
  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// The entry that a pair of registers holds.
  ///
  /// - Parameters:
  ///   - low: The register `IOAPICRegister.redirectionLow(pin:)`.
  ///   - high: The register `IOAPICRegister.redirectionHigh(pin:)`.
  public init(low: UInt32, high: UInt32) {
    self.init(rawValue: UInt64(high) << 32 | UInt64(low))
  }

  /// An entry made of its fields.
  ///
  /// - Parameters:
  ///   - vector: 16 to 254.
  ///   - destination: Where the message goes; 8 bits.
  ///   - deliveryMode: What the message does.
  ///   - polarity: The level at which the pin is asserted.
  ///   - triggerMode: Whether the pin is an edge or a level.
  ///   - isMasked: Whether the pin is ignored.
  public init(
    vector: Vector, destination: Destination, deliveryMode: DeliveryMode = .fixed, polarity: Polarity = .activeHigh,
    triggerMode: TriggerMode = .edge, isMasked: Bool = false
  ) {
    self.init(rawValue: 0)
    self.vector = vector
    self.destination = destination
    self.deliveryMode = deliveryMode
    self.polarity = polarity
    self.triggerMode = triggerMode
    self.isMasked = isMasked
  }

  /// The entry after reset: masked, all else zero.
  public static var masked: RedirectionEntry {
    RedirectionEntry(vector: 0, destination: .physical(0), isMasked: true)
  }

  /// Bits 31:0.
  public var low: UInt32 {
    get { UInt32(truncatingIfNeeded: rawValue) }
    set { rawValue[bits: 0...31] = UInt64(newValue) }
  }

  /// Bits 63:32.
  public var high: UInt32 {
    get { UInt32(truncatingIfNeeded: rawValue >> 32) }
    set { rawValue[bits: 32...63] = UInt64(newValue) }
  }
}

extension RedirectionEntry {
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

  /// Bit 12, the delivery status; read-only to software.
  public var isPending: Bool {
    get { rawValue.isPending }
    set { rawValue.isPending = newValue }
  }

  /// Bit 13.
  public var polarity: Polarity {
    get { rawValue.polarity }
    set { rawValue.polarity = newValue }
  }

  /// Bit 14: a level-triggered interrupt was accepted and waits for its EOI; read-only to software.
  public var remoteIRR: Bool {
    get { rawValue.remoteIRR }
    set { rawValue.remoteIRR = newValue }
  }

  /// Bit 15.
  public var triggerMode: TriggerMode {
    get { rawValue.triggerMode }
    set { rawValue.triggerMode = newValue }
  }

  /// Bit 16.
  public var isMasked: Bool {
    get { rawValue.isMasked }
    set { rawValue.isMasked = newValue }
  }

  /// Bit 11 and bits 63:56; of an ID that is set the low 8 bits remain.
  public var destination: Destination {
    get { Destination(UInt32(rawValue[bits: 56...63]), mode: rawValue.destinationMode) }
    set {
      rawValue.destinationMode = newValue.mode
      rawValue[bits: 56...63] = UInt64(newValue.identifier)
    }
  }

  /// The message that the chip sends when the pin is asserted and not masked.
  ///
  /// With a split irqchip userspace installs it as the pin's MSI route (KVM API, section 7.5).
  public var message: MSIMessage {
    var message = MSIMessage(vector: vector, destination: destination, triggerMode: triggerMode)
    message.deliveryMode = deliveryMode
    return message
  }
}

#if !hasFeature(Embedded)
extension RedirectionEntry: CustomStringConvertible {
  /// The message and the pin's state, as in `Fixed 0x30 to physical 0, masked`.
  public var description: String {
    let status = (isPending ? ", send pending" : "") + (remoteIRR ? ", remote IRR" : "") + (isMasked ? ", masked" : "")
    return message.description + status
  }
}
#endif
