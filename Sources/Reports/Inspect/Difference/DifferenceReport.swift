public import APIC
public import ForeignStates
public import MachineState
import Support

/// What two states have different, in the words of the inspector: the value behind the text for a person and the JSON
/// document `lapwing.difference/1`.
///
/// docs/inspect.md describes the document's keys.
public struct DifferenceReport: Codable, Hashable, Sendable {
  /// The document's type and version.
  public static let schema = "lapwing.difference/1"

  /// `lapwing.difference/1`.
  public var schema = DifferenceReport.schema
  /// Whether nothing differs but what every capture has anew.
  public var same: Bool
  /// The registers that differ, in the order of the inspection.
  public var differences: [Difference]
  /// Registers that only one of two states of different kinds holds, which are left out; absent where both hold the same.
  public var leftOut: [LeftOut]?
  /// How guest memory differs; absent where one of the states has none to compare.
  public var memory: MemoryDifference?

  /// A register that differs.
  public struct Difference: Codable, Hashable, Sendable {
    /// Whose it is, such as `vCPU 0` or `IOAPIC`.
    public var owner: String
    /// The register's name.
    public var name: String
    /// Its name in the manual.
    public var title: String
    /// What the first state has; absent where it has no such register.
    public var before: Side?
    /// What the second has; absent likewise.
    public var after: Side?
    /// Whether every capture has it anew, though the guest did nothing: a clock, the name of a file.
    public var movesWithTime: Bool
  }

  /// Registers that one state does not hold.
  public struct LeftOut: Codable, Hashable, Sendable {
    /// Whose they are.
    public var owner: String
    /// Their names.
    public var names: [String]
    /// The state that lacks them: `first` or `second`.
    public var lackedBy: String
  }

  /// What a state has in a register.
  public struct Side: Codable, Hashable, Sendable {
    /// The value.
    public var value: String
    /// What it means; empty where the value says it.
    public var meaning: String
  }

  /// How the guest memory of two states differs.
  public struct MemoryDifference: Codable, Hashable, Sendable {
    /// How many pages of 4096 bytes differ.
    public var pages: UInt64
    /// Where: at most the first hundred runs.
    public var runs: [Run]

    /// Pages beside one another that all differ.
    public struct Run: Codable, Hashable, Sendable {
      /// The guest-physical address of the first.
      public var address: UInt64
      /// How many.
      public var pages: UInt64
    }
  }

  /// What differs between two machines' states.
  ///
  /// - Parameters:
  ///   - before: the first state.
  ///   - after: the second.
  ///   - memory: how their memory differs; nil where that is not known.
  public init(_ before: MachineState, _ after: MachineState, memory: MemoryDifference? = nil) {
    self.init(InspectableState(before), InspectableState(after), memory: memory)
  }

  /// What differs between two states as far as both hold it. What only one holds is left out and named, unless both hold
  /// all of a machine.
  ///
  /// - Parameters:
  ///   - before: the first state.
  ///   - after: the second.
  ///   - memory: how their memory differs; nil where that is not known.
  public init(_ before: InspectableState, _ after: InspectableState, memory: MemoryDifference? = nil) {
    var (first, second) = (before.allGroups, after.allGroups)
    let holdTheSame =
      before.format == after.format && before.absent == after.absent
      && zip(before.absentOfVCPUs, after.absentOfVCPUs).allSatisfy(==)
    guard !holdTheSame else {
      self.init(first, second, memory)
      return
    }
    let lackedBySecond = Self.remove(from: &first, whatIsNotIn: second, "second")
    let lackedByFirst = Self.remove(from: &second, whatIsNotIn: first, "first")
    self.init(first, second, memory)
    let missing = lackedBySecond + lackedByFirst
    leftOut = missing.isEmpty ? nil : missing
  }

  private static func remove(
    from groups: inout [RegisterGroup], whatIsNotIn others: [RegisterGroup], _ side: String
  ) -> [LeftOut] {
    let known = Dictionary(others.map { ($0.name, Set($0.registers.map(\.name))) }) { $0.union($1) }
    var missing: [LeftOut] = []
    for index in groups.indices {
      let names = known[groups[index].name] ?? []
      let absent = groups[index].registers.map(\.name).filter { !names.contains($0) }
      guard !absent.isEmpty else { continue }
      groups[index].registers.removeAll { !names.contains($0.name) }
      missing.append(LeftOut(owner: groups[index].name, names: absent, lackedBy: side))
    }
    return missing
  }

  /// What differs between the register pages of two local APICs.
  public init(page before: LocalAPICState, _ after: LocalAPICState) {
    self.init(InspectableState(pages: [before]), InspectableState(pages: [after]))
  }

  private init(_ before: [RegisterGroup], _ after: [RegisterGroup], _ memory: MemoryDifference?) {
    var differences: [Difference] = []
    let others = Dictionary(after.map { ($0.name, $0.registers) }) { $0 + $1 }
    for group in before { differences += Self.differences(group.name, group.registers, others[group.name] ?? []) }
    let names = Set(before.map(\.name))
    for group in after where !names.contains(group.name) {
      differences += Self.differences(group.name, [], group.registers)
    }
    self.differences = differences
    self.memory = memory
    same = differences.allSatisfy(\.movesWithTime) && (memory?.pages ?? 0) == 0
  }

  private static func differences(
    _ owner: String, _ before: [RegisterReport], _ after: [RegisterReport]
  ) -> [Difference] {
    // Nearly always both have the same registers in the same order.
    if before == after { return [] }
    let later = Dictionary(after.map { ($0.name, $0) }) { first, _ in first }
    var differences: [Difference] = []
    for register in before {
      let other = later[register.name]
      guard register.value != other?.value || register.meaning != other?.meaning else { continue }
      differences.append(Difference(owner, register, other))
    }
    let names = Set(before.map(\.name))
    for register in after where !names.contains(register.name) {
      differences.append(Difference(owner, nil, register))
    }
    return differences
  }
}

extension DifferenceReport.Difference {
  fileprivate init(_ owner: String, _ before: RegisterReport?, _ after: RegisterReport?) {
    self.init(
      owner: owner, name: before?.name ?? after?.name ?? "", title: before?.title ?? after?.title ?? "",
      before: before.map { DifferenceReport.Side(value: $0.value, meaning: $0.meaning) },
      after: after.map { DifferenceReport.Side(value: $0.value, meaning: $0.meaning) },
      movesWithTime: [before, after].compactMap { $0 }.allSatisfy { $0.movesWithTime == true })
  }
}

extension InspectableState {
  /// The registers of the machine, one group for each vCPU first.
  fileprivate var allGroups: [RegisterGroup] {
    let processors = vcpus.map { vcpu in
      RegisterGroup(
        name: format == .pages && vcpus.count == 1 ? "local APIC" : "vCPU \(vcpu.index)",
        registers: (vcpu.knows(.id) ? [VCPUState.idRegister].reports(vcpu.values) : [])
          + vcpu.registerGroups(LocalAPICView(vcpu)).flatMap(\.registers)
          + (vcpu.knows(.cpuid) ? vcpu.values.cpuidRegisters : []))
    }
    return processors + assumed(vcpus.map { LocalAPICView($0) }).registerGroups(without: absent)
  }
}
