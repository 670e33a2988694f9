import APIC

/// What a register holds.
enum RegisterValue: Hashable {
  /// Bits, written with that many hexadecimal digits.
  case bits(UInt64, digits: Int)
  /// A set of vectors.
  case vectors(VectorSet)
  /// A number that a person reads in decimal.
  case count(Int64)
  /// Something else, in words.
  case words(String)

  static func bits(_ value: UInt8) -> RegisterValue { .bits(UInt64(value), digits: 2) }
  static func bits(_ value: UInt32) -> RegisterValue { .bits(UInt64(value), digits: 8) }
  static func bits(_ value: UInt64) -> RegisterValue { .bits(value, digits: 16) }
  static func flag(_ value: Bool) -> RegisterValue { .words(value ? "yes" : "no") }

  /// The value in words.
  var text: String {
    switch self {
    case .bits(let value, let digits): hex(value, digits: digits)
    case .vectors(let set): set.description
    case .count(let count): String(count)
    case .words(let words): words
    }
  }
}

/// A register of `Root`: how it is called, read and put into words. The one description that the inspector and the
/// difference of two states share.
struct RegisterDescription<Root: Sendable>: Sendable {
  let name: String
  let title: String
  let value: @Sendable (Root) -> RegisterValue?
  let meaning: @Sendable (Root) -> String
  let fields: [BitField]
  let movement: Movement

  /// Whether every capture has a register anew, though the guest did nothing.
  enum Movement: Sendable {
    case never
    case always
    case when(@Sendable (Root) -> Bool)
  }

  /// - Parameters:
  ///   - moves: whether every capture has it anew.
  ///   - value: what it holds; nil where this root has no such register.
  ///   - meaning: what that means.
  init(
    _ name: String, _ title: String, fields: [BitField] = [],
    moves movement: Movement = .never,
    _ value: @escaping @Sendable (Root) -> RegisterValue?, meaning: @escaping @Sendable (Root) -> String = { _ in "" }
  ) {
    self.name = name
    self.title = title
    self.value = value
    self.meaning = meaning
    self.fields = fields
    self.movement = movement
  }

  /// The register of a root; nil where it has none.
  func report(_ root: Root) -> RegisterReport? {
    guard let value = value(root) else { return nil }
    var decoded: [RegisterReport.Field]?
    if case .bits(let bits, _) = value, !fields.isEmpty { decoded = fields.map { $0.report(bits) } }
    return RegisterReport(
      name: name, title: title, value: value.text, meaning: meaning(root), fields: decoded,
      movesWithTime: moves(root) ? true : nil)
  }
}

extension RegisterDescription {
  private func moves(_ root: Root) -> Bool {
    switch movement {
    case .never: false
    case .always: true
    case .when(let condition): condition(root)
    }
  }
}

extension Array {
  /// The registers of a root.
  func reports<Root>(_ root: Root) -> [RegisterReport] where Element == RegisterDescription<Root> {
    compactMap { $0.report(root) }
  }
}

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

/// A register or another named value of a state: what it holds, and what that means.
///
/// The inspector shows these, and the difference of two states is made of them, so that both use the same words.
public struct RegisterReport: Codable, Hashable, Sendable {
  /// Its name, such as `TPR` or `REDTBL4`.
  public var name: String
  /// Its name in the manual, such as `Task Priority Register (TPR)`.
  public var title: String
  /// What it holds, as `0x00000020`, `{0x30, 0x70}` or in words.
  public var value: String
  /// What that means; empty where the value says it.
  public var meaning: String
  /// Its fields from bit 0 on; absent where it has none.
  public var fields: [Field]?
  /// Whether time alone moves it; absent where it does not.
  public var movesWithTime: Bool?

  /// A field of a register.
  public struct Field: Codable, Hashable, Sendable {
    /// Its name in the manual.
    public var name: String
    /// Its bits, such as `7:4` or `16`.
    public var bits: String
    /// What it holds.
    public var value: UInt64
    /// What that means; empty where the value says it.
    public var meaning: String
  }

  /// The value and its meaning on one line.
  var words: String { meaning.isEmpty ? value : "\(value)  \(meaning)" }
}

/// Registers that belong together.
public struct RegisterGroup: Codable, Hashable, Sendable {
  /// Whose they are, such as `vCPU 0` or `IOAPIC`.
  public var name: String
  /// The registers, in the order of the manual.
  public var registers: [RegisterReport]
}
