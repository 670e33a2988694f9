import APIC
public import Evidence

/// The way of one interrupt, for a report. Times are nanoseconds since the program started; what was not seen is absent.
public struct JourneyReport: Codable, Sendable {
  /// The vector, 16 to 255.
  public var vector: UInt8
  /// The vCPU that took it.
  public var vcpu: Int
  /// Where it came from.
  public var source: Source?
  /// The vCPU that sent an IPI.
  public var sender: Int?
  /// The GSI of a line.
  public var gsi: UInt32?
  /// The IOAPIC's pin of a line that was still high.
  public var pin: Int?
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
  public var taken: Int64
  /// KVM saw the end of its service.
  public var ended: Int64?
  /// Whether its vCPU stayed in the guest from acceptance to handler; absent where entries and exits do not tell.
  public var stayedInGuest: Bool?
  /// Why its vCPU left the guest between acceptance and handler, as KVM names the exit.
  public var exit: String?
  /// How it got into the guest.
  public var path: DeliveryPath?

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
  init(_ journey: InterruptJourney, _ time: (ContinuousClock.Instant) -> Int64) {
    self.init(
      vector: journey.vector.rawValue, vcpu: journey.vcpu, accepted: journey.accepted.map(time),
      coalesced: journey.coalesced, posted: journey.posted.map(time), wokenUp: journey.wokenUp.map(time),
      injected: journey.injected.map(time), taken: time(journey.taken), ended: journey.ended.map(time),
      stayedInGuest: journey.stayedInGuest, exit: journey.exit, path: journey.path)
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
    case .localAPIC: source = .localAPIC
    case nil: break
    }
  }
}
