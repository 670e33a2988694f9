import Evidence

/// Tells whose events are, where those of several machines, or of threads of no machine, are recorded together.
struct EventOwner {
  /// Whose an event on a thread is.
  enum Owner: Hashable {
    /// The watched machine's.
    case watched
    /// Another machine's, or nobody's.
    case other
    /// That of whichever machine has the vCPU's id that it names.
    case byID
  }

  private let machine: ForeignMachine
  private let processes: HostProcesses
  private let recordsAllThreads: Bool
  private var otherThreads: Set<Int32> = []
  private var otherIDs: Set<UInt32> = []
  private var otherProcesses: Set<Int32> = []
  private var sharesProcess = false
  private var known: [Int32: Owner] = [:]
  private var last: (thread: Int32, owner: Owner)?

  /// How many threads are known at a time.
  private static let limit = 4096

  /// - Parameters:
  ///   - machine: the watched one.
  ///   - recordsAllThreads: whether the whole host is recorded; otherwise only processes of machines are.
  init(_ machine: ForeignMachine, recordsAllThreads: Bool, _ processes: HostProcesses) {
    self.machine = machine
    self.recordsAllThreads = recordsAllThreads
    self.processes = processes
  }

  /// Whether all that is recorded is the watched machine's.
  var isAlone: Bool { !recordsAllThreads && otherProcesses.isEmpty && !sharesProcess }

  /// Takes note of the machines that there are.
  ///
  /// - Parameter recorded: those whose events may be recorded too.
  mutating func note(_ recorded: [ForeignMachine]) {
    let others = recorded.filter { $0.folder != machine.folder }
    otherThreads = Set(others.flatMap(\.vcpus).compactMap(\.thread))
    otherIDs = Set(others.flatMap(\.vcpus).map(\.id))
    otherProcesses = Set(others.map(\.process)).subtracting([machine.process])
    sharesProcess = others.contains { $0.process == machine.process }
    known.removeAll(keepingCapacity: true)
    last = nil
  }

  /// Whether another machine has a vCPU with an id.
  func isAmbiguous(_ id: UInt32) -> Bool { otherIDs.contains(id) }

  /// Whose an event on a thread is that runs no vCPU of the watched machine.
  mutating func owner(of thread: Int32) -> Owner {
    if let last, last.thread == thread { return last.owner }
    let owner = known[thread] ?? find(thread)
    last = (thread, owner)
    if known.count >= Self.limit { known.removeAll(keepingCapacity: true) }
    known[thread] = owner
    return owner
  }

  private func find(_ thread: Int32) -> Owner {
    if otherThreads.contains(thread) { return .other }
    if isAlone { return .watched }
    // 0 is an idle processor, on which interrupts of all kinds come.
    guard thread > 0 else { return .byID }
    if processes.has(thread, in: machine.process) { return sharesProcess ? .byID : .watched }
    return otherProcesses.contains { processes.has(thread, in: $0) } ? .other : .byID
  }
}
