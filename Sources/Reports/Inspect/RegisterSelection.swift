import APIC

/// The registers that a person asked for: the value behind the text and the JSON document `lapwing.registers/1`.
public struct RegisterSelection: Codable, Hashable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.registers/1"

  /// `lapwing.registers/1`.
  public var schema = RegisterSelection.schema
  /// The registers, each with whose it is.
  public var registers: [NamedRegister]

  /// A selection.
  public init(_ registers: [NamedRegister]) { self.registers = registers }

  /// The registers for a person: the value, then each field.
  public func text(_ style: Style = Style()) -> String {
    registers.flatMap { item in
      let register = item.register
      var table = LeftTable()
      for field in register.fields ?? [] {
        table.add([field.bits, field.name, hex(field.value), field.meaning])
      }
      return [style.bold("\(item.owner) \(register.name)") + ": \(register.words)", "  \(register.title)"]
        + table.lines()
    }.joined(separator: "\n")
  }
}
