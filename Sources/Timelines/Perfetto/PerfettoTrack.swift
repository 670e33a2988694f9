import APIC

/// A track of a trace: its number and its place among others.
struct PerfettoTrack: Hashable, Sendable {
  /// What is on it.
  enum Kind: Hashable, Sendable {
    /// A machine, as a process.
    case machine(name: String)
    /// Where a vCPU is, as a thread.
    case vcpu
    case halted
    /// Interrupts that are raised: by this vCPU, or by its own local APIC's timer and other entries.
    case sent
    case localAPIC
    case handlers
    /// What waits of a vector: no two at a time.
    case waiting(Vector)
    case requested
    case inService
    /// Of the machine: inhibits, lines, messages, and what is not known to come from anywhere.
    case inhibits
    case lines
    case messages
    case unknownSources
  }

  /// The machine's number, from 1.
  var machine: Int
  /// The vCPU's index; nil for the machine's own.
  var vcpu: Int?
  var kind: Kind

  /// Its number in the trace.
  var uuid: UInt64 {
    UInt64(machine) << 32 | UInt64((vcpu ?? -1) + 1) << 16 | place << 8 | vector
  }

  private var vector: UInt64 {
    if case .waiting(let vector) = kind { UInt64(vector.rawValue) } else { 0 }
  }

  private var place: UInt64 {
    switch kind {
    case .machine: 0
    case .vcpu: 1
    case .handlers: 2
    case .waiting: 3
    case .requested: 4
    case .inService: 5
    case .sent: 6
    case .localAPIC: 7
    case .halted: 8
    case .inhibits: 9
    case .messages: 10
    case .lines: 11
    case .unknownSources: 12
    }
  }

  /// The track that it is below; nil for a machine's.
  var parent: PerfettoTrack? {
    switch kind {
    case .machine: nil
    case .vcpu: PerfettoTrack(machine: machine, vcpu: nil, kind: .machine(name: ""))
    default: PerfettoTrack(machine: machine, vcpu: vcpu, kind: vcpu == nil ? .machine(name: "") : .vcpu)
    }
  }

  /// What the trace says of it.
  var descriptor: Lapwing_Perfetto_TrackDescriptor {
    var descriptor = Lapwing_Perfetto_TrackDescriptor()
    descriptor.uuid = uuid
    if let parent { descriptor.parentUuid = parent.uuid }
    descriptor.childOrdering = .explicit
    descriptor.siblingOrderRank = Int32(place << 8 | vector)
    switch kind {
    case .machine(let name):
      descriptor.process.pid = Int32(machine)
      descriptor.process.processName = name
    case .vcpu:
      descriptor.thread.pid = Int32(machine)
      // A machine's number is the process's, which its first thread has in Linux: the vCPUs have others.
      descriptor.thread.tid = Int32(truncatingIfNeeded: machine << 13 | ((vcpu ?? 0) + 1))
      descriptor.thread.threadName = "vCPU \(vcpu ?? 0)"
    case .waiting(let vector): descriptor.name = "waiting 0x\(String(vector.rawValue, radix: 16))"
    case .requested, .inService:
      descriptor.name = kind == .requested ? "IRR" : "ISR"
      descriptor.counter.unitName = "vectors"
    case .handlers: descriptor.name = "handlers"
    case .halted: descriptor.name = "halted"
    case .sent: descriptor.name = "IPIs sent"
    case .localAPIC: descriptor.name = "local APIC"
    case .inhibits: descriptor.name = "APICv inhibits"
    case .lines: descriptor.name = "lines"
    case .messages: descriptor.name = "messages"
    case .unknownSources: descriptor.name = "sources not seen"
    }
    return descriptor
  }
}
