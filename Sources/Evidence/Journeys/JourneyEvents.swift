import APIC

/// The events of a trace that belong to interrupts' journeys, each kind in the order of time. Events are taken one by one, so
/// that no more is kept of entries and exits, of which a guest may have millions, than what they say of an interrupt.
struct JourneyEvents {
  /// A vector of a vCPU.
  struct Place: Hashable {
    var vcpu: Int
    var vector: Vector
  }

  /// What was seen of a vector on a vCPU, where the event names the vCPU's id.
  struct Seen {
    var accepted: [Acceptance] = []
    var posted: [UInt64] = []
    var ended: [UInt64] = []
  }

  /// A vCPU that goes on after it was halted for so many nanoseconds.
  struct WakeUp {
    var time: UInt64
    var halted: UInt64
  }

  private struct Target {
    var presence = VCPUPresence()
    var seen = [Seen](repeating: Seen(), count: 256)
    /// Acceptances that found it in the guest, until it leaves: by vector and number.
    var open: [(vector: Vector, index: Int)] = []
  }

  private struct Thread {
    /// The vCPU that it enters the guest with, as a place in `targets`.
    var target: Int?
    var raising = RaisingEvent()
    var injected = [[UInt64]](repeating: [], count: 256)
    var reinjected = [[UInt64]](repeating: [], count: 256)
    var wokenUp: [WakeUp] = []
  }

  private var targets: [Target] = []
  private var targetOfID: [UInt32: Int] = [:]
  private var threads: [Thread] = []
  private var threadOfID: [Int32: Int] = [:]
  /// The last that were looked up, since one is seldom alone.
  private var lastThread: (id: Int32, index: Int)?
  private var lastTarget: (id: UInt32, index: Int)?

  /// How many things may be kept.
  private let limit: Int
  private var count = 0
  /// How many were seen beyond that.
  private(set) var dropped: UInt64 = 0

  /// No events yet.
  ///
  /// - Parameter limit: how many are kept; those of entries and exits do not count.
  init(keeping limit: Int = .max) { self.limit = limit }

  /// Takes the next event.
  ///
  /// - Parameters:
  ///   - event: in the order of time.
  ///   - isKept: false for what came before that which journeys are wanted of: only where vCPUs are counts of it.
  mutating func take(_ event: TraceEvent, isKept: Bool = true) {
    let thread = thread(event.thread)
    switch event.detail {
    case .entered(let id):
      let target = target(id)
      threads[thread].target = target
      targets[target].presence.enter()
    case .exited(let reason):
      if let target = threads[thread].target { leave(target, event.time, reason) }
    case .inhibit, .accessed: break
    default:
      guard isKept else { return }
      guard count < limit else {
        dropped += 1
        return
      }
      count += 1
      keep(event, on: thread)
    }
  }

  private mutating func leave(_ target: Int, _ time: UInt64, _ reason: ExitReason) {
    targets[target].presence.exit(for: reason)
    guard !targets[target].open.isEmpty else { return }
    for (vector, index) in targets[target].open {
      targets[target].seen[Int(vector.rawValue)].accepted[index].exit = (time, reason)
    }
    targets[target].open = []
  }

  private mutating func keep(_ event: TraceEvent, on thread: Int) {
    let time = event.time
    threads[thread].raising.note(event.detail)
    switch event.detail {
    case .accepted(let id, let vector, let mode):
      // INIT, SIPI, NMI and SMI are no interrupts, and have no vector or another meaning of it.
      guard mode == .fixed || mode == .lowestPriority else { return }
      accept(time, id, vector, on: thread, event.thread)
    case .acceptedByHardware(let id, let vector, _): targets[target(id)].seen[Int(vector.rawValue)].posted.append(time)
    case .injected(let vector, isReinjected: false): threads[thread].injected[Int(vector.rawValue)].append(time)
    case .injected(let vector, isReinjected: true): threads[thread].reinjected[Int(vector.rawValue)].append(time)
    case .endOfInterrupt(let id, let vector?): targets[target(id)].seen[Int(vector.rawValue)].ended.append(time)
    case .wokenUp(_, let halted): threads[thread].wokenUp.append(WakeUp(time: time, halted: halted))
    case .ipi, .message, .line, .acknowledged, .ioapic, .endOfInterrupt, .inhibit, .entered, .exited, .accessed: break
    }
  }

  private mutating func accept(_ time: UInt64, _ id: UInt32, _ vector: Vector, on thread: Int, _ threadID: Int32) {
    let origin = threads[thread].raising.origin(of: vector)
    let target = target(id)
    let presence = targets[target].presence
    targets[target].seen[Int(vector.rawValue)].accepted.append(
      Acceptance(time: time, thread: threadID, origin: origin, presence: presence))
    if presence.isInGuest == true {
      targets[target].open.append((vector, targets[target].seen[Int(vector.rawValue)].accepted.count - 1))
    }
  }

  private mutating func thread(_ id: Int32) -> Int {
    if let lastThread, lastThread.id == id { return lastThread.index }
    let index =
      threadOfID[id]
      ?? {
        threads.append(Thread())
        threadOfID[id] = threads.count - 1
        return threads.count - 1
      }()
    lastThread = (id, index)
    return index
  }

  private mutating func target(_ id: UInt32) -> Int {
    if let lastTarget, lastTarget.id == id { return lastTarget.index }
    let index =
      targetOfID[id]
      ?? {
        targets.append(Target())
        targetOfID[id] = targets.count - 1
        return targets.count - 1
      }()
    lastTarget = (id, index)
    return index
  }
}

extension JourneyEvents {
  /// What was seen of a vector on the vCPU with an id.
  func seen(_ id: UInt32, _ vector: Vector) -> Seen {
    targetOfID[id].map { targets[$0].seen[Int(vector.rawValue)] } ?? Seen()
  }

  /// When software injected a vector on a thread.
  func injected(on thread: Int32, _ vector: Vector) -> [UInt64] {
    threadOfID[thread].map { threads[$0].injected[Int(vector.rawValue)] } ?? []
  }

  /// When software injected a vector on a thread anew.
  func reinjected(on thread: Int32, _ vector: Vector) -> [UInt64] {
    threadOfID[thread].map { threads[$0].reinjected[Int(vector.rawValue)] } ?? []
  }

  /// When the vCPU of a thread was woken up.
  func wokenUp(on thread: Int32) -> [WakeUp] { threadOfID[thread].map { threads[$0].wokenUp } ?? [] }

  /// How often software injected an interrupt anew, by thread; only for threads of which something was seen.
  var reinjections: [Int32: Int] { threadOfID.mapValues { threads[$0].reinjected.reduce(0) { $0 + $1.count } } }

  /// Whether an entry into the guest was seen. A back end may have the tracepoint and never fire it.
  var tellPresence: Bool { targets.contains { $0.presence.isInGuest != nil } }

  /// Whether software injected anything.
  var hasInjections: Bool {
    threads.contains { thread in (thread.injected + thread.reinjected).contains { !$0.isEmpty } }
  }

  /// Whether software injected anything on a thread, so that what it does not inject was not delivered so.
  func hasInjections(on thread: Int32) -> Bool {
    threadOfID[thread].map { index in threads[index].injected.contains { !$0.isEmpty } } ?? false
  }
}
