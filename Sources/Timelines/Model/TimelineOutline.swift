import APIC
import Evidence

/// Which vCPUs a machine's events belong to: threads and ids as they come, to indexes.
struct TimelineOutline {
  /// How many vCPUs a machine can have (KVM_MAX_VCPUS is 4096 at most); what is beyond belongs to none.
  private static let limit = 4096

  private var indexOfID: [UInt32: Int] = [:]
  private var indexOfThread: [Int32: Int] = [:]
  private(set) var count = 0

  init(_ machine: TimelineMachine) {
    for id in machine.vcpuIDs { _ = index(ofID: id) }
    know(machine.threads)
  }

  /// Learns which threads run the vCPUs, by index.
  mutating func know(_ threads: [[Int32]]) {
    for (index, threads) in threads.prefix(Self.limit).enumerated() {
      for thread in threads where thread != 0 { indexOfThread[thread] = index }
    }
  }

  /// The vCPU with an id.
  mutating func index(ofID id: UInt32) -> Int? {
    if let index = indexOfID[id] { return index }
    guard count < Self.limit else { return nil }
    indexOfID[id] = count
    count += 1
    return count - 1
  }

  /// The vCPU with an id, which is on that thread now.
  mutating func index(ofID id: UInt32, on thread: Int32) -> Int? {
    let index = index(ofID: id)
    if let index, indexOfThread[thread] != index { indexOfThread[thread] = index }
    return index
  }

  /// The vCPU of a thread; nil where none is known.
  func index(of thread: Int32) -> Int? { indexOfThread[thread] }
}

/// A machine whose interrupts a timeline shows. A run has one, the suite one a case.
public struct TimelineMachine: Hashable, Sendable {
  /// What it is called: a guest, a case, a process. Anything may be in it.
  public var name: String
  /// KVM's ids of its vCPUs, by index, where they are known; what comes with another id gets a vCPU of its own.
  public var vcpuIDs: [UInt32]
  /// The kernel's ids of the threads that run its vCPUs, by index: several of one that ran on several, 0 for none.
  public var threads: [[Int32]]
  /// What has to be known to read its timeline, a line each.
  public var notes: [String]

  /// A machine.
  ///
  /// - Parameters:
  ///   - name: what it is called.
  ///   - vcpuIDs: KVM's ids of its vCPUs, by index.
  ///   - threads: the kernel's ids of their threads, by index.
  ///   - notes: what has to be known.
  public init(name: String, vcpuIDs: [UInt32], threads: [[Int32]] = [], notes: [String] = []) {
    self.name = name
    self.vcpuIDs = vcpuIDs
    self.threads = threads
    self.notes = notes
  }
}

/// What makes a file of a timeline, as it is recorded: it keeps no more than its format needs.
protocol TimelineWriter: Sendable {
  /// A machine comes.
  ///
  /// - Parameters:
  ///   - machine: the machine, as far as it is known.
  ///   - number: its number, from 1.
  ///   - output: gets what is to be written.
  mutating func begin(_ machine: TimelineMachine, _ number: Int, into output: inout [UInt8])

  /// Something of a machine comes. Items come in no order; those of a vCPU's stays and occupancy come in the order of time.
  mutating func add(_ item: TimelineItem, of number: Int, into output: inout [UInt8])

  /// No more of a machine comes.
  ///
  /// - Parameter notes: what has to be known to read its timeline, a line each.
  mutating func end(_ number: Int, notes: [String], into output: inout [UInt8])

  /// Nothing more comes.
  mutating func finish(into output: inout [UInt8])
}
