import APIC
public import Evidence

/// The way of one interrupt, for a report. Times are nanoseconds since the program started; what was not seen is absent.
public struct JourneyReport: Codable, Sendable {
  /// The vector, 16 to 255.
  public var vector: UInt8
  /// The vCPU that it was for.
  public var vcpu: Int
  /// Where it came from.
  public var source: Source?
  /// The vCPU that sent an IPI.
  public var sender: Int?
  /// The GSI of a line.
  public var gsi: UInt32?
  /// The IOAPIC's pin of a line that was still high.
  public var pin: Int?
  /// The entry of the local vector table that had its vector in the end, such as `timer`.
  public var entry: String?
  /// Its local APIC accepted it.
  public var accepted: Int64?
  /// How many more were accepted that are one with it.
  public var coalesced: Int
  /// It was set in the posted-interrupt descriptor.
  public var posted: Int64?
  /// Its vCPU, which was halted, went on.
  public var wokenUp: Int64?
  /// Software injected it at VM entry.
  public var injected: Int64?
  /// The guest's handler wrote it down.
  public var taken: Int64?
  /// KVM saw the end of its service.
  public var ended: Int64?
  /// Whether its vCPU stayed in the guest from acceptance to handler; absent where entries and exits do not tell.
  public var stayedInGuest: Bool?
  /// Why its vCPU left the guest between acceptance and handler, as KVM names the exit.
  public var exit: String?
  /// How it got into the guest.
  public var path: DeliveryPath?
  /// Whether the path is concluded: from a counter, or from where its vCPU was; otherwise events of this interrupt show it.
  public var isPathConcluded: Bool?

  /// Where an interrupt comes from, each with its word in a document.
  public enum Source: String, Codable, Hashable, Sendable {
    /// A local APIC's interrupt command.
    case ipi
    /// An MSI.
    case message
    /// A line that was raised.
    case line
    /// A line that was still high when its interrupt ended.
    case heldLine = "held-line"
    /// An entry of the local vector table, such as the timer.
    case localAPIC = "local-apic"
  }
}

extension JourneyReport {
  /// - Parameters:
  ///   - journey: the journey.
  ///   - exit: the kernel's name of its exit.
  ///   - start: what its times count from, in nanoseconds since the program started.
  init(_ journey: InterruptJourney, exit: String?, from start: Int64) {
    func time(_ moment: Int64) -> Int64 { start &+ moment }
    self.init(
      vector: journey.vector.rawValue, vcpu: journey.vcpu, accepted: journey.accepted.map(time),
      coalesced: journey.coalesced, posted: journey.posted.map(time), wokenUp: journey.wokenUp.map(time),
      injected: journey.injected.map(time), taken: journey.taken.map(time), ended: journey.ended.map(time),
      stayedInGuest: journey.stayedInGuest, exit: exit, path: journey.path,
      isPathConcluded: journey.path.map { _ in journey.isPathConcluded })
    switch journey.source {
    case .ipi(let vcpu):
      source = .ipi
      sender = vcpu
    case .message: source = .message
    case .line(let gsi):
      source = .line
      self.gsi = gsi
    case .heldLine(let pin):
      source = .heldLine
      self.pin = pin
    case .localAPIC(let entry):
      source = .localAPIC
      self.entry = entry.map { "\($0)" }
    case nil: break
    }
  }
}

extension RunReport.TraceReport {
  /// What a recorder recorded.
  ///
  /// - Parameters:
  ///   - result: that.
  ///   - programStart: the moment that times are counted from.
  init(_ result: JourneyRecorder.Result, programStart: ContinuousClock.Instant) {
    let start = Int64((result.start - programStart) / .nanoseconds(1))
    journeys = result.journeys.map { journey in
      JourneyReport(journey, exit: journey.exit.map { result.exitNames[$0] }, from: start)
    }
    lostEvents = result.lostEvents
    unknownEvents = result.unknownEvents
    absentEvents = result.absentEvents
  }
}
