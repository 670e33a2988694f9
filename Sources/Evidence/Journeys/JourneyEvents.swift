import APIC

/// The events of a trace that belong to interrupts' journeys, by vCPU and vector, each in the order of time: cycles of the
/// host's TSC.
struct JourneyEvents {
  struct Place: Hashable {
    var vcpu: Int
    var vector: Vector
  }

  struct Acceptance {
    var time: UInt64
    var source: InterruptSource?
  }

  private(set) var accepted: [Place: [Acceptance]] = [:]
  private(set) var posted: [Place: [UInt64]] = [:]
  private(set) var injected: [Place: [UInt64]] = [:]
  private(set) var ended: [Place: [UInt64]] = [:]
  private(set) var wokenUp: [Int: [UInt64]] = [:]

  /// What raises interrupts on a thread at the moment, until something else happens there: of that vector, or whichever a
  /// line leads to.
  private var raising: [Int32: (source: InterruptSource, vector: Vector?)] = [:]
  private let vcpuOfThread: [Int32: Int]
  private let vcpuWithID: [UInt32: Int]

  /// - Parameters:
  ///   - events: in the order of their times.
  ///   - threads: the kernel's ids of the vCPUs' threads, by index.
  ///   - ids: KVM's ids of the vCPUs, by index.
  init(_ events: [TraceEvent], threads: [Int32], ids: [UInt32]) {
    vcpuOfThread = Dictionary(threads.enumerated().map { ($1, $0) }) { first, _ in first }
    vcpuWithID = Dictionary(ids.enumerated().map { ($1, $0) }) { first, _ in first }
    for event in events { take(event) }
  }

  private mutating func take(_ event: TraceEvent) {
    let (time, own) = (event.time, vcpuOfThread[event.thread])
    switch event.detail {
    case .ipi(let vector): raising[event.thread] = (.ipi(vcpu: own), vector)
    case .message(_, let vector): raising[event.thread] = (.message, vector)
    case .line(let gsi, let isHigh): raising[event.thread] = isHigh ? (.line(gsi: gsi), nil) : nil
    case .acknowledged(let pin): raising[event.thread] = (.heldLine(pin: pin), nil)
    case .ioapic: raising[event.thread] = nil
    case .accepted(let id, let vector, _):
      guard let vcpu = vcpuWithID[id] else { return }
      let source = source(of: vector, on: event.thread, isOwn: vcpu == own)
      accepted[Place(vcpu: vcpu, vector: vector), default: []].append(Acceptance(time: time, source: source))
    case .acceptedByHardware(let id, let vector, _):
      if let vcpu = vcpuWithID[id] { posted[Place(vcpu: vcpu, vector: vector), default: []].append(time) }
    case .injected(let vector, isReinjected: false):
      raising[event.thread] = nil
      if let own { injected[Place(vcpu: own, vector: vector), default: []].append(time) }
    case .endOfInterrupt(let id, let vector?):
      raising[event.thread] = nil
      if let vcpu = vcpuWithID[id] { ended[Place(vcpu: vcpu, vector: vector), default: []].append(time) }
    case .wokenUp:
      raising[event.thread] = nil
      if let own { wokenUp[own, default: []].append(time) }
    case .injected, .endOfInterrupt, .inhibit, .entered, .exited, .other: break
    }
  }

  /// What an interrupt that is accepted on a thread came from. What nothing raised there is the local APIC's own, where it
  /// is that of the thread's vCPU.
  private func source(of vector: Vector, on thread: Int32, isOwn: Bool) -> InterruptSource? {
    if let raising = raising[thread], raising.vector ?? vector == vector { return raising.source }
    return isOwn ? .localAPIC : nil
  }
}
