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

/// Where a vCPU was while interrupts of one vector were delivered to it, by kvm_entry and kvm_exit and the handlers' own
/// time stamps.
public struct DeliveryResidency: Hashable, Sendable {
  /// How many were accepted while the vCPU was in the guest, whose handlers ran before its next exit: these were posted.
  public var inGuest = 0
  /// How many of them KVM saw nothing of: the processor of the vCPU that sent them posted them (IPI virtualization), so that
  /// neither vCPU left the guest.
  public var byProcessor = 0
  /// How many found it outside, or drove it out: these were delivered at a VM entry.
  public var atEntry = 0
  /// How many of these the host was in the way of, for its own sake: the vCPU was outside, or left, for an interrupt of the
  /// host's that has nothing to do with the vCPU, such as a tick of its timer, or for memory that was not mapped yet.
  public var withHostInTheWay = 0
  /// For which reasons the vCPU left the guest between acceptance and handler, or was outside, and how often.
  public var exits: [String: Int] = [:]

  /// Nothing yet.
  public init() {}

  /// Whether it proves that interrupts are posted into the running guest: each was, but for those that the host was in the
  /// way of for its own sake, which are less than half. A posting that has become a kick drives the vCPU out by one of the
  /// host's interprocessor interrupts, or finds it outside for another reason.
  ///
  /// - Parameter taken: how many the guest took in all.
  public func provesPosting(of taken: Int) -> Bool {
    inGuest + withHostInTheWay == taken && inGuest > withHostInTheWay
  }

  /// Whether nothing but the host's own work kept interrupts from being posted: too often for a proof, and no sign of a fault.
  ///
  /// - Parameter taken: how many the guest took in all.
  func isUndecided(of taken: Int) -> Bool {
    inGuest + withHostInTheWay == taken && !provesPosting(of: taken)
  }

  /// What was seen, in words.
  var description: String {
    let reasons = exits.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key).joined(separator: ", ")
    let left = reasons.isEmpty ? "" : ", exits: \(reasons)"
    let posted = byProcessor > 0 ? " (\(byProcessor) posted by the sender's processor: IPI virtualization)" : ""
    let host = withHostInTheWay > 0 ? " (\(withHostInTheWay) with the host's own work in the way)" : ""
    let entry = "delivered at an entry \(times(atEntry))\(host)\(left)"
    return "in the guest from acceptance to handler \(times(inGuest))\(posted), \(entry)"
  }

  /// Adds an interrupt's journey.
  ///
  /// - Parameters:
  ///   - journey: the journey.
  ///   - exit: the kernel's name of its exit, or of the one before.
  mutating func add(_ journey: InterruptJourney, exit: String?) {
    switch journey.stayedInGuest {
    case true?:
      inGuest += 1
      if journey.accepted == nil { byProcessor += 1 }
    case false?:
      atEntry += 1
      if (journey.exit ?? journey.exitBefore)?.isHostsOwn == true { withHostInTheWay += 1 }
      if let exit { exits[exit, default: 0] += 1 }
    case nil: break
    }
  }
}

/// What the interrupts of a scenario cost, from its stimulus to its end: all vCPUs taken together.
public struct DeliveryCost: Hashable, Sendable {
  /// How many interrupts were taken.
  public var interrupts: Int
  /// VM exits; nil where the kernel does not count them.
  public var exits: UInt64?
  /// Interrupts that software injected at VM entry; nil where the kernel does not count them.
  public var injections: UInt64?
  /// Exits for no other reason than that an interrupt could not be injected before; nil where they are not counted.
  public var windowExits: UInt64?
  /// Cycles of the guest's TSC from the stimulus to the first interrupt after it, as its handler saw them; nil where
  /// the guest wrote none down, or where its TSC was set meanwhile.
  public var latency: UInt64?

  /// A cost that was found out somehow.
  public init(interrupts: Int, exits: UInt64?, injections: UInt64?, windowExits: UInt64?, latency: UInt64?) {
    self.interrupts = interrupts
    self.exits = exits
    self.injections = injections
    self.windowExits = windowExits
    self.latency = latency
  }

  /// The cost that vCPUs' counters show.
  init(_ vcpus: [VCPUObservation], latency: UInt64?) {
    func sum(_ name: String) -> UInt64? {
      vcpus.reduce(0) { sum, vcpu in
        guard let sum, let growth = vcpu.counters?[name] else { return nil }
        return sum &+ growth
      }
    }
    self.init(
      interrupts: vcpus.reduce(0) { $0 + $1.interruptsTaken }, exits: sum("exits"), injections: sum("irq_injections"),
      windowExits: sum("irq_window_exits"), latency: latency)
  }
}
