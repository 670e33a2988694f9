import APIC

/// A field of a register: where it is and what its values mean.
struct BitField: Sendable {
  let name: String
  let bits: ClosedRange<Int>
  let meaning: @Sendable (UInt64) -> String

  /// A field whose value speaks for itself.
  static func number(_ name: String, _ bits: ClosedRange<Int>) -> BitField {
    BitField(name: name, bits: bits) { _ in "" }
  }

  /// A field that holds a vector.
  static func vector(_ name: String = "Vector") -> BitField {
    BitField(name: name, bits: 0...7) { hex($0, digits: 2) }
  }

  /// One bit.
  static func flag(_ name: String, _ bit: Int, _ set: String = "yes", _ clear: String = "no") -> BitField {
    BitField(name: name, bits: bit...bit) { $0 == 0 ? clear : set }
  }

  /// A field with a name for each value, from 0 on.
  static func choice(_ name: String, _ bits: ClosedRange<Int>, _ names: [String]) -> BitField {
    BitField(name: name, bits: bits) { $0 < UInt64(names.count) ? names[Int($0)] : "reserved" }
  }

  /// What the field is in a value of the register.
  func report(_ register: UInt64) -> RegisterReport.Field {
    // A range of all 64 bits would shift a mask by its whole width.
    let mask = bits.count >= 64 ? UInt64.max : (1 << UInt64(bits.count)) - 1
    let value = register >> UInt64(bits.lowerBound) & mask
    let place = bits.count == 1 ? "\(bits.lowerBound)" : "\(bits.upperBound):\(bits.lowerBound)"
    return RegisterReport.Field(name: name, bits: place, value: value, meaning: meaning(value))
  }
}

/// Fields that several registers lay out alike.
extension BitField {
  static let deliveryMode = choice(
    "Delivery Mode", 8...10, ["Fixed", "Lowest Priority", "SMI", "reserved", "NMI", "INIT", "Start Up", "ExtINT"])
  static let destinationMode = choice("Destination Mode", 11...11, ["physical", "logical"])
  static let deliveryStatus = choice("Delivery Status", 12...12, ["idle", "send pending"])
  static let polarity = choice("Interrupt Input Pin Polarity", 13...13, ["active high", "active low"])
  static let remoteIRR = flag("Remote IRR", 14, "waits for an EOI", "no")
  static let triggerMode = choice("Trigger Mode", 15...15, ["edge", "level"])
  static let mask = flag("Mask", 16, "masked", "not masked")
}
