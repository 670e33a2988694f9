import APIC
import JSON
import KVM
import Support

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

/// A field in which two states differ.
public struct StateDifference: Hashable, Sendable, CustomStringConvertible {
  /// Its place in the document, with the registers of a local APIC by name: `vcpus[0].localAPIC.spurious`.
  public var path: String
  /// What the first state has; nil where it has no such field.
  public var before: String?
  /// What the second has.
  public var after: String?

  /// `path: before -> after`.
  public var description: String { "\(path): \(before ?? "none") -> \(after ?? "none")" }

  /// Whether the field moves with time by itself (`MachineState.movingFields`).
  public var isMoving: Bool {
    MachineState.movingFields.contains { WildcardPattern($0.path).matches(path) }
  }
}

extension MachineState {
  /// A field that is another one when the state of a machine that was just restored is taken again.
  public struct MovingField: Hashable, Sendable {
    /// Its place in the document; `*` stands for anything.
    public var path: String
    /// Why it moves.
    public var reason: String
  }

  /// What time moves: every other field of a state that was restored is the same when it is taken again, byte for byte.
  public static let movingFields: [MovingField] = [
    MovingField(path: "captured", reason: "the moment of the capture"),
    MovingField(path: "time.*", reason: "the clocks of that moment"),
    MovingField(path: "vcpus[*].msrs.0x10", reason: "the TSC runs"),
    MovingField(path: "vcpus[*].msrs.0x40000010", reason: "Hyper-V's VP runtime, HV_X64_MSR_VP_RUNTIME, runs"),
    MovingField(
      path: "vcpus[*].msrs.0x40000020", reason: "Hyper-V's reference counter, HV_X64_MSR_TIME_REF_COUNT, runs"),
    MovingField(path: "vcpus[*].tscOffset", reason: "guest time stood still, the host's TSC did not"),
    MovingField(path: "vcpus[*].localAPIC.currentCount", reason: "the timer runs"),
    MovingField(
      path: "vcpus[*].localAPIC.processorPriority",
      reason: "it follows from the task priority and the ISR, which KVM brings up to date at a restore"),
    MovingField(
      path: "pit.channel*.countLoadTime", reason: "the moment, on the host's clock, when the count was loaded"),
    MovingField(path: "pit.channel1.count", reason: "what is left of a count that runs once"),
    MovingField(path: "pit.channel2.count", reason: "what is left of a count that runs once"),
    MovingField(
      path: "vcpus[*].localAPIC.initialCount", reason: "0 for a one-shot timer that has fired, in xAPIC mode"),
  ]
}
