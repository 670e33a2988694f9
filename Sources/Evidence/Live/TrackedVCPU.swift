public import APIC

/// What is under way on one vCPU: never more than two interrupts a vector, and a few that are over but for the question
/// whether they were posted into the running guest.
struct TrackedVCPU {
  let id: UInt32
  var thread: Int32?
  var presence = VCPUPresence()
  /// Whether software was seen to inject anything.
  var injects = false

  private var placeOfVector = [Int16](repeating: -1, count: 256)
  private var places: [(vector: Vector, open: OpenInterrupts, isListed: Bool)] = []
  /// Those of `places` that may have an interrupt that was accepted in the guest, which the vCPU has not left since.
  private var inGuest: [Int16] = []
  /// What is over, and was accepted in the guest, which the vCPU has not left since.
  private var held: [(vector: Vector, draft: InterruptDraft)] = []

  /// How many interrupts that are over may await the vCPU's next exit. Of more, which come all in one stay in the guest, the
  /// oldest is told without the answer.
  private static let heldLimit = 256

  init(id: UInt32, thread: Int32?) {
    self.id = id
    self.thread = thread
  }

  /// Changes what is under way of a vector.
  @inline(__always)
  mutating func with<Result>(_ vector: Vector, _ body: (inout OpenInterrupts) -> Result) -> Result {
    body(&places[place(of: vector)].open)
  }

  private mutating func place(of vector: Vector) -> Int {
    let known = placeOfVector[Int(vector.rawValue)]
    if known >= 0 { return Int(known) }
    places.append((vector, OpenInterrupts(), false))
    // At most 256.
    placeOfVector[Int(vector.rawValue)] = Int16(places.count - 1)
    return places.count - 1
  }

  mutating func accept(
    _ acceptance: Acceptance, _ vector: Vector, _ knowledge: TraceKnowledge
  ) -> (finished: InterruptDraft?, isCoalesced: Bool) {
    let place = place(of: vector)
    if acceptance.presence.isInGuest == true, !places[place].isListed {
      places[place].isListed = true
      inGuest.append(Int16(place))
    }
    return places[place].open.accept(acceptance, knowledge)
  }

  /// Keeps what is over until it is known whether the vCPU stayed in the guest for it.
  ///
  /// - Returns: what is not kept any longer.
  mutating func hold(_ draft: InterruptDraft, _ vector: Vector) -> (vector: Vector, draft: InterruptDraft)? {
    // Only what the hardware delivered may have been posted.
    guard draft.posted != nil, draft.injected == nil, draft.awaitsExit else { return (vector, draft) }
    held.append((vector, draft))
    guard held.count > Self.heldLimit else { return nil }
    var oldest = held.removeFirst()
    oldest.draft.acceptance?.presence = VCPUPresence()
    return oldest
  }

  /// The vCPU leaves the guest.
  ///
  /// - Parameter body: called with what is over now.
  @inline(__always)
  mutating func leave(_ time: UInt64, _ reason: ExitReason, _ body: (Vector, InterruptDraft) -> Void) {
    presence.exit(for: reason)
    if !inGuest.isEmpty {
      for place in inGuest {
        places[Int(place)].isListed = false
        places[Int(place)].open.leave(time, reason)
      }
      inGuest.removeAll(keepingCapacity: true)
    }
    guard !held.isEmpty else { return }
    for (vector, draft) in held {
      var draft = draft
      draft.leave(time, reason)
      body(vector, draft)
    }
    held.removeAll(keepingCapacity: true)
  }

  /// The vCPU goes on after HLT.
  mutating func wakeUp(_ time: UInt64, haltedSince begin: UInt64) {
    for index in places.indices { places[index].open.wakeUp(time, haltedSince: begin) }
  }

  /// Forgets what is under way, and where the vCPU is.
  ///
  /// - Parameter body: called with each interrupt.
  mutating func finish(_ body: (Vector, InterruptDraft) -> Void) {
    for (vector, draft) in held { body(vector, draft) }
    held.removeAll(keepingCapacity: true)
    inGuest.removeAll(keepingCapacity: true)
    for index in places.indices {
      places[index].isListed = false
      for draft in places[index].open.takeAll() { body(places[index].vector, draft) }
    }
    presence = VCPUPresence()
  }
}

/// One interrupt's way from its source to its end, as far as it left a trace, in the unit of the trace's clock: what
/// `JourneyTracker` tells of an interrupt that is over.
///
/// What is nil was not seen.
public struct TrackedJourney: Hashable, Sendable {
  /// The index of the vCPU that it was for.
  public var vcpu: Int
  /// Its vector.
  public var vector: Vector
  /// What it came from.
  public var source: InterruptSource?
  /// When its local APIC accepted it (kvm_apic_accept_irq).
  public var accepted: UInt64?
  /// How many more of the same vector were accepted before it was delivered, and so are one with it.
  public var coalesced: Int
  /// When it was handed to the hardware: set in the posted-interrupt descriptor (kvm_apicv_accept_irq).
  public var posted: UInt64?
  /// When its vCPU, which was halted, went on (kvm_vcpu_wakeup).
  public var wokenUp: UInt64?
  /// When software injected it at VM entry (kvm_inj_virq).
  public var injected: UInt64?
  /// When KVM saw the end of its service (kvm_eoi).
  public var ended: UInt64?
  /// Whether its vCPU stayed in the guest for it; nil where entries and exits do not tell.
  public var stayedInGuest: Bool?
  /// How it got from its local APIC into the guest; nil where nothing tells.
  public var path: DeliveryPath?
  /// Whether the path is concluded from where its vCPU was; otherwise events of this interrupt show it.
  public var isPathConcluded: Bool

  init(_ draft: InterruptDraft, source: InterruptSource?, vcpu: Int, vector: Vector, tellsPresence: Bool) {
    self.vcpu = vcpu
    self.vector = vector
    self.source = source
    accepted = draft.acceptance?.time
    coalesced = draft.coalesced
    posted = draft.posted
    wokenUp = draft.wokenUp
    injected = draft.injected
    ended = draft.ended
    (path, isPathConcluded, stayedInGuest) = draft.way(tellsPresence: tellsPresence)
  }
}

/// What one event says of the vCPUs that a `JourneyTracker` follows.
public struct JourneyStep: Hashable, Sendable {
  /// The index of the vCPU that the event is about: the one that accepts, takes or ends an interrupt, or that enters and
  /// leaves the guest; nil where it is about none that is followed.
  public var vcpu: Int?
  /// What an interrupt came from that is accepted; nil where that was not seen, and for other events.
  public var source: InterruptSource?
  /// Whether an interrupt that is accepted is one with another that waits.
  public var isCoalesced = false

  init(vcpu: Int? = nil) { self.vcpu = vcpu }
}
