/// How an interrupt got from the local APIC that accepted it into the guest.
public enum DeliveryPath: String, Hashable, Sendable, Codable, CaseIterable {
  /// Software injected it at VM entry: the vCPU had to leave the guest for it.
  case software
  /// Virtual-interrupt delivery: the processor evaluated and delivered it from the virtual-APIC page.
  case virtualDelivery = "virtual-interrupt delivery"
  /// Posted: set in the posted-interrupt descriptor, and delivered while the vCPU stayed in the guest.
  case posted
}

extension DeliveryPath {
  /// The way of all interrupts that a vCPU took, by how many of them KVM counts as injected: none, or as many. nil where
  /// it is some, where it took none, and where the count does not say which.
  ///
  /// - Parameters:
  ///   - injections: how many KVM counts (`irq_injections`). It counts one again that is injected anew after an exit in the
  ///     middle of its delivery.
  ///   - reinjections: how many of them are such; nil where that is not known.
  ///   - taken: how many the vCPU took.
  ///   - deliversVirtually: whether the host has virtual-interrupt delivery at all; nil where nothing tells.
  init?(injections: UInt64, reinjections: Int?, taken: Int, deliversVirtually: Bool?) {
    guard taken > 0 else { return nil }
    if injections == 0 {
      self = .virtualDelivery
      return
    }
    let first: UInt64
    if deliversVirtually == false {
      first = injections
    } else if let reinjections {
      first = injections - min(injections, UInt64(reinjections))
    } else {
      // As many injections as interrupts may be fewer injected twice, and some that came without.
      return nil
    }
    guard first >= UInt64(taken) else { return nil }
    self = .software
  }
}

/// How often software injected an interrupt anew, by vCPU thread (kvm_inj_virq).
struct Reinjections {
  private var counts: [Int32: Int] = [:]
  private let isKnown: Bool

  /// - Parameters:
  ///   - recording: a trace.
  ///   - isRecorded: whether its kernel has the tracepoint. A back end that never fires it says nothing with that.
  init(_ recording: TraceRecording, isRecorded: Bool) {
    var hasInjections = false
    for event in recording.events {
      guard case .injected(_, let isReinjected) = event.detail else { continue }
      hasInjections = true
      if isReinjected { counts[event.thread, default: 0] += 1 }
    }
    isKnown = isRecorded && hasInjections && recording.lost == 0
  }

  /// - Parameters:
  ///   - events: those of a trace.
  ///   - isRecorded: as above, and no event was lost.
  init(_ events: JourneyEvents, isRecorded: Bool) {
    counts = events.reinjections
    isKnown = isRecorded && events.hasInjections
  }

  /// How many on these threads; nil where the trace does not tell.
  func count(on threads: some Sequence<Int32>) -> Int? {
    isKnown ? threads.reduce(0) { $0 + (counts[$1] ?? 0) } : nil
  }
}
