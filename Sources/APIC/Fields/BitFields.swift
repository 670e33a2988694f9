/// Register fields by bit number, counted as the manuals count them.
extension FixedWidthInteger where Self: UnsignedInteger {
  /// The bit with that number.
  subscript(bit index: Int) -> Bool {
    get { self & (1 << index) != 0 }
    set { self = newValue ? self | (1 << index) : self & ~(1 << index) }
  }

  /// The bits in that range, moved down to bit 0; a value that is too wide for them loses its upper bits.
  subscript(bits range: ClosedRange<Int>) -> Self {
    get { self >> range.lowerBound & Self.mask(width: range.count) }
    set {
      let mask = Self.mask(width: range.count)
      self = self & ~(mask << range.lowerBound) | (newValue & mask) << range.lowerBound
    }
  }

  private static func mask(width: Int) -> Self {
    ~(~0 << width)
  }
}

#if !hasFeature(Embedded)
/// A number in hexadecimal, as the manuals write it: `0x70`. Every module of the package writes it so.
///
/// - Parameters:
///   - value: The number.
///   - digits: How many digits it has at the least; zeros fill it up.
package func hex(_ value: some BinaryInteger, digits: Int = 1) -> String {
  let number = String(value, radix: 16)
  return "0x" + String(repeating: "0", count: max(0, digits - number.count)) + number
}
#endif

/// The low 17 bits that the ICR, the LVT, MSI data and the IOAPIC redirection table lay out alike (SDM volume 3A,
/// figures in sections 12.5.1, 12.6.1 and 12.11.2; 82093AA data sheet, section 3.2.4).
extension FixedWidthInteger where Self: UnsignedInteger {
  /// Bits 7:0.
  var vector: Vector {
    get { Vector(rawValue: UInt8(truncatingIfNeeded: self)) }
    set { self[bits: 0...7] = Self(newValue.rawValue) }
  }

  /// Bits 10:8; `nil` is the reserved encoding.
  var deliveryMode: DeliveryMode? {
    get { DeliveryMode(rawValue: UInt8(truncatingIfNeeded: self[bits: 8...10])) }
    set { self[bits: 8...10] = Self(newValue?.rawValue ?? DeliveryMode.reservedEncoding) }
  }

  /// Bit 11, in those that have a destination.
  var destinationMode: DestinationMode {
    get { self[bit: 11] ? .logical : .physical }
    set { self[bit: 11] = newValue == .logical }
  }

  /// Bit 12, the delivery status.
  var isPending: Bool {
    get { self[bit: 12] }
    set { self[bit: 12] = newValue }
  }

  /// Bit 13, in those that belong to a pin.
  var polarity: Polarity {
    get { self[bit: 13] ? .activeLow : .activeHigh }
    set { self[bit: 13] = newValue == .activeLow }
  }

  /// Bit 14 of a message: the level that it carries.
  var isAsserted: Bool {
    get { self[bit: 14] }
    set { self[bit: 14] = newValue }
  }

  /// Bit 14 of a pin: it waits for an EOI.
  var remoteIRR: Bool {
    get { self[bit: 14] }
    set { self[bit: 14] = newValue }
  }

  /// Bit 15.
  var triggerMode: TriggerMode {
    get { self[bit: 15] ? .level : .edge }
    set { self[bit: 15] = newValue == .level }
  }

  /// Bit 16, in those that belong to a pin or a local source.
  var isMasked: Bool {
    get { self[bit: 16] }
    set { self[bit: 16] = newValue }
  }
}

#if !hasFeature(Embedded)
extension FixedWidthInteger where Self: UnsignedInteger {
  /// The delivery mode and the vector, as in `Fixed 0x70`.
  var deliveryDescription: String {
    "\(deliveryMode?.description ?? "Reserved") \(vector)"
  }

  /// What a message says of its level, or nothing if it is an edge.
  var levelDescription: String {
    guard triggerMode == .level else { return "" }
    return isAsserted ? ", level asserted" : ", level deasserted"
  }
}
#endif
