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
