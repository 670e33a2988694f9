public import APIC

/// How the interrupts of one vector got into one vCPU, and how that is known.
public struct InterruptEvidence: Hashable, Sendable {
  /// The vCPU's index.
  public let vcpu: Int
  /// The vector.
  public let vector: Vector
  /// How often the guest took it.
  public let taken: Int
  /// How often a local APIC accepted it (kvm_apic_accept_irq); nil without a trace.
  public let accepted: Int?
  /// How often it went to the hardware for delivery (kvm_apicv_accept_irq); nil without a trace.
  public let acceptedByHardware: Int?
  /// How often software injected it (kvm_inj_virq); nil without a trace. Some back ends do not say so.
  public let injected: Int?
  /// The way it went; nil where the evidence does not tell.
  public let path: DeliveryPath?
  /// The way for a verdict: by counters alone where this kernel counts injections, so that recording changes no verdict.
  public let verdictPath: DeliveryPath?
  /// Whether the host's own work was in the way so often that nothing tells whether it would have been posted.
  public let isPostingUndecided: Bool
  /// What that rests on, in words.
  public let basis: String
  /// How often the vCPU was woken from HLT meanwhile; nil where this kernel does not count it.
  public let wakeups: UInt64?
}

extension InterruptEvidence {
  /// Concludes how interrupts of a vector came.
  ///
  /// Counters decide whether software injected them, wherever they can; a trace decides that only where a kernel does not
  /// count injections, or where some interrupts of a vCPU were injected and others not, and only if it is whole. Whether
  /// what came by the hardware was posted into a running guest is decided by entries and exits alone.
  ///
  /// - Parameters:
  ///   - vcpu: what was seen of the vCPU.
  ///   - vector: the vector.
  ///   - taken: how often the guest took it.
  ///   - tally: how often a trace shows it; nil where there is none.
  ///   - reinjections: how many of the vCPU's injections were such again; nil where nothing tells.
  ///   - deliversVirtually: whether the host has virtual-interrupt delivery; nil where nothing tells.
  init(
    _ vcpu: VCPUObservation, vector: Vector, taken: Int, tally: TraceTally.Counts?, reinjections: Int?,
    deliversVirtually: Bool?
  ) {
    self.vcpu = vcpu.index
    self.vector = vector
    self.taken = taken
    accepted = tally?.accepted
    acceptedByHardware = tally?.acceptedByHardware
    injected = tally?.injected
    wakeups = vcpu.counters?.wakeups
    let counted = Self.byCounters(vcpu, vector, taken, reinjections, deliversVirtually)
    let conclusion =
      counted ?? Self.byTrace(tally, tellsInjections: deliversVirtually == true && reinjections != nil)
    path = conclusion?.path
    verdictPath = vcpu.counters?.injections == nil ? path : counted?.path
    isPostingUndecided = path == .virtualDelivery && vcpu.residency?[vector]?.isUndecided(of: taken) == true
    var basis = [conclusion?.basis ?? "neither counters nor tracepoints tell"]
    if let tally {
      if tally.accepted > 0 { basis.append("kvm_apic_accept_irq seen \(times(tally.accepted))") }
      if tally.acceptedByHardware > 0 { basis.append("kvm_apicv_accept_irq seen \(times(tally.acceptedByHardware))") }
      if tally.injected > 0 { basis.append("kvm_inj_virq seen \(times(tally.injected))") }
    }
    if let wakeups, wakeups > 0 { basis.append("woken from HLT \(times(Int(clamping: wakeups)))") }
    self.basis = basis.joined(separator: "; ")
  }

  private static func byCounters(
    _ vcpu: VCPUObservation, _ vector: Vector, _ taken: Int, _ reinjections: Int?, _ deliversVirtually: Bool?
  ) -> (path: DeliveryPath, basis: String)? {
    guard let injections = vcpu.counters?.injections else { return nil }
    let name = "irq_injections of vCPU \(vcpu.index)"
    let path = DeliveryPath(
      injections: injections, reinjections: reinjections, taken: vcpu.interruptsTaken,
      deliversVirtually: deliversVirtually)
    switch path {
    case nil: return nil
    case .software: return (.software, "\(name) grew by \(injections)")
    case .virtualDelivery, .posted:
      guard let residency = vcpu.residency?[vector] else { return (.virtualDelivery, "\(name) did not grow") }
      let basis = "\(name) did not grow; \(residency.description)"
      return (residency.provesPosting(of: taken) ? .posted : .virtualDelivery, basis)
    }
  }

  /// - Parameter tellsInjections: whether software would have injected what the hardware did not deliver, and the trace
  ///   would show that.
  private static func byTrace(
    _ tally: TraceTally.Counts?, tellsInjections: Bool
  ) -> (path: DeliveryPath, basis: String)? {
    guard let tally, tally.isComplete else { return nil }
    if tally.injected > 0, tally.acceptedByHardware == 0 { return (.software, "by the trace") }
    if tally.acceptedByHardware > 0, tally.injected == 0 { return (.virtualDelivery, "by the trace") }
    // A local APIC that is virtualized, and a processor that sends IPIs itself, do without KVM.
    if tellsInjections, tally.accepted == 0, tally.injected == 0 {
      return (.virtualDelivery, "by the trace, in which KVM neither accepts nor injects it")
    }
    return nil
  }
}

extension InterruptEvidence: CustomStringConvertible {
  /// What was taken, its way, and what that rests on.
  public var description: String {
    let way = path?.rawValue ?? "unknown way"
    return "vCPU \(vcpu) took \(vector) \(times(taken)): \(way): \(basis)"
  }
}

/// A count in words.
func times(_ count: Int) -> String { count == 1 ? "once" : "\(count) times" }

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
