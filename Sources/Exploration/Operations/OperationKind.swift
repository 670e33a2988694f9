import APIC
import KVM

/// An argument of an operation: which values make sense, from the simplest on.
///
/// A history picks among them; shrinking tries those before.
public struct OperationArgument: Sendable {
  /// Its name in files.
  public let name: String
  /// The values, from simple to special.
  public let values: [UInt64]

  init(_ name: String, _ values: [UInt64]) {
    self.name = name
    self.values = values
  }
}

/// The arguments of one step, in the order of the operation's.
public typealias StepArguments = InlineArray<7, UInt64>

/// What operations are about; `--only` chooses among them.
public enum OperationFamily: String, CaseIterable, Sendable {
  /// Messages of devices.
  case msi
  /// Lines, and irqfds of lines.
  case line
  /// GSI routing.
  case routes
  /// Registers of the local APIC.
  case register
  /// Commands to other local APICs.
  case ipi
  /// The local APIC's mode.
  case mode
  /// The local APIC's timer.
  case timer
  /// All of a local APIC's state.
  case lapic
  /// The IOAPIC's state.
  case ioapic
  /// The PICs' state.
  case pic
  /// NMIs and what a vCPU does.
  case event
  /// vCPUs that execute instructions.
  case guest
  /// What they access in memory.
  case page
  /// What they access by ports.
  case port
  /// What several actors do at the same time.
  case concurrent
}

/// Something that can be done to a machine's interrupt controllers, whoever has them.
///
/// A new one is a value in one of the families' files; a new family is a case, a file, and a line in `OperationKind.all`.
public struct OperationKind: Sendable {
  /// What it is about.
  public let family: OperationFamily
  /// A name that files and reports have: its family and what it does, as in `msi.send`.
  public let name: String
  /// What it does, in a few words.
  public let summary: String
  /// What it takes.
  public let arguments: [OperationArgument]
  /// How often it is chosen, compared with others.
  public let weight: Int
  /// Whether a vCPU must execute instructions for it.
  public let needsGuest: Bool
  /// Whether actors may do it while others do something too: it is one call, and changes neither who is reached by which destination
  /// nor the chips' states, which KVM does not do in pieces that the model has.
  let mayBeConcurrent: Bool
  let perform: @Sendable (StepArguments, any InterruptSubject) throws(KVMError) -> StepAnswer

  init(
    _ family: OperationFamily, _ verb: String, _ summary: String, _ arguments: [OperationArgument], weight: Int = 10,
    needsGuest: Bool = false, mayBeConcurrent: Bool = false,
    _ perform: @escaping @Sendable (StepArguments, any InterruptSubject) throws(KVMError) -> StepAnswer
  ) {
    self.family = family
    name = "\(family.rawValue).\(verb)"
    self.summary = summary
    self.arguments = arguments
    self.weight = weight
    self.needsGuest = needsGuest
    self.mayBeConcurrent = mayBeConcurrent
    self.perform = perform
  }

  /// Every operation, by family.
  public static let all: [OperationKind] =
    messages + lines + routing + registers + interprocessor + modes + timers + localAPICStates + chips + events + guests
    + memory + ports + concurrent

  static let numbers: [String: Int] = Dictionary(
    all.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
}

extension InterruptSubject {
  /// The vCPU of an operation whose first argument is one.
  func vcpu(of arguments: StepArguments) -> Int { Int(truncatingIfNeeded: arguments[0]) % vcpuCount }
}

/// The values that arguments choose among: from the simplest on, and the special ones behind.
enum OperationValues {
  static let vcpus: [UInt64] = [0, 1, 2, 3]
  static let flags: [UInt64] = [0, 1]
  static let vectors: [UInt64] = [
    0x40, 0x41, 0x50, 0x51, 0x60, 0x31, 0x30, 0x20, 0x80, 0x8f, 0x90, 0xef, 0xfe, 0xff, 0x1f, 0x10, 0x0f, 0x02, 0x00,
  ]
  static let modes: [UInt64] = [0, 0, 0, 1, 4, 5, 6, 7, 3]
  static let destinations: [UInt64] = [0, 1, 2, 3, 0xff, 4, 5, 6, 7, 8, 0xf, 0x11, 0x12, 0x21, 0x80, 0xf1]
  static let pins: [UInt64] = [20, 21, 1, 4, 8, 0, 2, 5, 9, 10, 12, 16, 23]
  static let gsis: [UInt64] = pins + [24, 25, 26, 15, 13, 100]
  static let messageGSIs: [UInt64] = [24, 25, 26, 20, 4]
  static let counts: [UInt64] = [0, 0xffff_ffff, 0xf000_0000, 0xe000_0000]
  static let words: [UInt64] = [0, 1, 0x10, 0x40, 0xff, 0x1ff, 0x1_0000, 0x8000, 0xffff_ffff, 0x1_0000_0000]
}

extension OperationArgument {
  static let vcpu = OperationArgument("vcpu", OperationValues.vcpus)
  static let vector = OperationArgument("vector", OperationValues.vectors)
  static let mode = OperationArgument("mode", OperationValues.modes)
  static let destination = OperationArgument("destination", OperationValues.destinations)
  static let isLogical = OperationArgument("logical", OperationValues.flags)
  static let isLevel = OperationArgument("level", OperationValues.flags)
  static let isAsserted = OperationArgument("asserted", [1, 0])
  static let gsi = OperationArgument("gsi", OperationValues.gsis)
  static let pin = OperationArgument("pin", OperationValues.pins)
}
