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
