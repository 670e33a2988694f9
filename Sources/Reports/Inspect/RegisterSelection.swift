import APIC
import Support

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
    registers.flatMap { item -> [TextLine] in
      let register = item.register
      var table = LeftTable()
      for field in register.fields ?? [] {
        table.add([field.bits, field.name, hex(field.value), field.meaning].lines)
      }
      return [style.bold("\(item.owner) \(register.name)") + ": \(register.words)", "  \(register.title)"]
        + table.lines()
    }.text
  }
}

extension Inspection {
  /// The registers with a name, in upper or lower case, each with whose it is.
  public func registers(named name: String) -> [NamedRegister] {
    let wanted = RegisterName.canonical(name)
    var found: [NamedRegister] = []
    for vcpu in vcpus {
      let owner = vcpu.index.map { "vCPU \($0)" } ?? "local APIC"
      for group in vcpu.groups {
        for register in group.registers where register.name.uppercased() == wanted {
          found.append(NamedRegister(owner: owner, register: register))
        }
      }
    }
    for group in groups {
      for register in group.registers {
        let names = [register.name.uppercased(), "\(group.name) \(register.name)".uppercased()]
        if names.contains(wanted) { found.append(NamedRegister(owner: group.name, register: register)) }
      }
    }
    return found
  }
}

/// A register and whose it is.
public struct NamedRegister: Codable, Hashable, Sendable {
  /// Whose, such as `vCPU 0`.
  public var owner: String
  /// The register.
  public var register: RegisterReport
}

/// Other names that people have for registers.
enum RegisterName {
  private static let others = [
    "SPIV": "SVR", "LVTT": "LVT_TIMER", "LVT0": "LVT_LINT0", "LVT1": "LVT_LINT1", "LVTPC": "LVT_PERFMON",
    "LVTERR": "LVT_ERROR", "LVTTHMR": "LVT_THERMAL", "TMICT": "INITIAL_COUNT", "TMCCT": "CURRENT_COUNT",
    "TDCR": "DIVIDE", "DCR": "DIVIDE", "APIC_BASE": "IA32_APIC_BASE", "EFER": "IA32_EFER", "APICID": "ID",
    "TSC": "IA32_TSC", "TSC_DEADLINE": "IA32_TSC_DEADLINE",
  ]

  /// The name as this program has it: `lvt-timer` and `LVTT` are `LVT_TIMER`.
  static func canonical(_ name: String) -> String {
    let name = String(name.uppercased().map { $0 == "-" || $0 == "." ? "_" : $0 })
    return others[name] ?? name
  }
}
