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
