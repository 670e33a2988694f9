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
  /// For which reasons the vCPU left the guest between acceptance and handler, and how often.
  public var exits: [String: Int] = [:]

  /// Nothing yet.
  public init() {}

  /// Whether it proves that interrupts are posted into the running guest: more than half of all were.
  ///
  /// Some may always meet a vCPU that is outside for the host's sake, since its timer ticks. A posting that has become a
  /// kick drives the vCPU out each time.
  ///
  /// - Parameter taken: how many the guest took in all.
  public func provesPosting(of taken: Int) -> Bool { inGuest * 2 > taken }

  /// What was seen, in words.
  var description: String {
    let reasons = exits.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key).joined(separator: ", ")
    let left = reasons.isEmpty ? "" : ", exits meanwhile: \(reasons)"
    let posted = byProcessor > 0 ? " (\(byProcessor) posted by the sender's processor: IPI virtualization)" : ""
    return
      "in the guest from acceptance to handler \(inGuest) times\(posted), delivered at an entry \(atEntry) times\(left)"
  }

  /// Adds an interrupt's journey.
  ///
  /// - Parameters:
  ///   - journey: the journey.
  ///   - exit: the kernel's name of its exit.
  mutating func add(_ journey: InterruptJourney, exit: String?) {
    switch journey.stayedInGuest {
    case true?:
      inGuest += 1
      if journey.accepted == nil { byProcessor += 1 }
    case false?:
      atEntry += 1
      if let exit { exits[exit, default: 0] += 1 }
    case nil: break
    }
  }
}
