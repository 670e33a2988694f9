import APIC
import JSON
import KVM

extension MachineState {
  /// What another state has different, field by field, in the order of the document.
  ///
  /// - Parameter other: the later of the two.
  public func differences(to other: MachineState) -> [StateDifference] {
    let before = fields
    let after = other.fields
    let earlier = Dictionary(before, uniquingKeysWith: { first, _ in first })
    let later = Dictionary(after, uniquingKeysWith: { first, _ in first })
    var differences: [StateDifference] = []
    for (path, value) in before where later[path] != value {
      differences.append(StateDifference(path: path, before: value, after: later[path]))
    }
    for (path, value) in after where earlier[path] == nil {
      differences.append(StateDifference(path: path, before: nil, after: value))
    }
    return differences
  }

  /// Every field of the document with its path and its value as text.
  private var fields: [(String, String)] {
    var fields: [(String, String)] = []
    // Of the document, apart from what only stands for something else there.
    guard case .object(let members) = json else { return [] }
    for member in members where !["cpuid", "vcpus"].contains(member.name) {
      Self.flatten(member.value, member.name, into: &fields)
    }
    for (index, vcpu) in vcpus.enumerated() {
      let path = "vcpus[\(index)]"
      guard case .object(let members) = VCPUState.fields(SharedCPUIDEntries([vcpu])).encode(vcpu) else { continue }
      for member in members where !["cpuid", "localAPIC"].contains(member.name) {
        Self.flatten(member.value, "\(path).\(member.name)", into: &fields)
      }
      fields += vcpu.cpuid.map { ("\(path).cpuid.\($0.leaf)", $0.values) }
      fields += vcpu.localAPIC.fields.map { ("\(path).localAPIC.\($0)", $1) }
    }
    return fields
  }

  private static func flatten(_ value: JSONValue, _ path: String, into fields: inout [(String, String)]) {
    switch value {
    case .null: fields.append((path, "none"))
    case .bool(let value): fields.append((path, "\(value)"))
    case .number(let value): fields.append((path, "\(value)"))
    case .string(let value): fields.append((path, value))
    case .array(let values):
      for (index, value) in values.enumerated() { flatten(value, "\(path)[\(index)]", into: &fields) }
    case .object(let members):
      for member in members { flatten(member.value, "\(path).\(member.name)", into: &fields) }
    }
  }
}

extension LocalAPICState {
  /// Every word of the page by the name of its register, or by its offset where it is none.
  fileprivate var fields: [(String, String)] {
    var names: [Int: String] = [:]
    for register in LocalAPICRegister.allCases {
      for word in 0..<register.wordCount {
        names[Int(register.offset(word: word) / 4)] = register.wordCount > 1 ? "\(register)[\(word)]" : "\(register)"
      }
    }
    return registers.indices.map { (names[$0] ?? "offset\(hex(UInt32(4 * $0)))", hex(registers[$0])) }
  }
}
