import APIC

/// How often a trace shows something of a vCPU and a vector.
struct TraceTally {
  struct Counts {
    var accepted = 0
    var acceptedByHardware = 0
    var injected = 0
    /// Whether no event was lost: what is not in the trace did not happen only then.
    var isComplete = true
  }

  private struct Key: Hashable {
    let vcpuID: UInt32
    let vector: Vector
  }

  private var byID: [Key: Counts] = [:]
  private var injections: [Int32: [Vector: Int]] = [:]
  private let threads: [[Int32]]
  private let isComplete: Bool
  private let reinjections: Reinjections

  /// The tally of a trace; nil where there is none.
  init?(_ trace: Observation.Trace) {
    guard case .recorded(let recording, let threads, let absent) = trace else { return nil }
    self.threads = threads
    isComplete = recording.lost == 0
    reinjections = Reinjections(recording, isRecorded: !absent.contains("kvm_inj_virq"))
    for event in recording.events {
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
    counts.isComplete = isComplete
    if threads.indices.contains(vcpu.index) {
      counts.injected = threads[vcpu.index].reduce(0) { $0 + (injections[$1]?[vector] ?? 0) }
    }
    return counts
  }

  /// How often software injected an interrupt of a vCPU anew; nil where the trace does not tell.
  func reinjections(_ vcpu: VCPUObservation) -> Int? {
    threads.indices.contains(vcpu.index) ? reinjections.count(on: threads[vcpu.index]) : nil
  }
}
