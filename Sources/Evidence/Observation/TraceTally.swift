import APIC

/// How often a trace shows something of a vCPU and a vector.
struct TraceTally {
  struct Counts {
    var accepted = 0
    var acceptedByHardware = 0
    var injected = 0
  }

  private struct Key: Hashable {
    let vcpuID: UInt32
    let vector: Vector
  }

  private var byID: [Key: Counts] = [:]
  private var injections: [Int32: [Vector: Int]] = [:]
  private let threads: [[Int32]]

  /// The tally of a trace; nil where there is none.
  init?(_ trace: Observation.Trace) {
    guard case .recorded(let text, let threads, _) = trace else { return nil }
    self.threads = threads
    for event in text.events {
      switch event.detail {
      case .accepted(let id, let vector, _):
        byID[Key(vcpuID: id, vector: vector), default: Counts()].accepted += 1
      case .acceptedByHardware(let id, let vector, _):
        byID[Key(vcpuID: id, vector: vector), default: Counts()].acceptedByHardware += 1
      case .injected(let vector, isReinjected: false):
        injections[event.thread, default: [:]][vector, default: 0] += 1
      default: break
      }
    }
  }

  subscript(vcpu: VCPUObservation, vector: Vector) -> Counts {
    var counts = byID[Key(vcpuID: vcpu.id, vector: vector)] ?? Counts()
    if threads.indices.contains(vcpu.index) {
      counts.injected = threads[vcpu.index].reduce(0) { $0 + (injections[$1]?[vector] ?? 0) }
    }
    return counts
  }
}
