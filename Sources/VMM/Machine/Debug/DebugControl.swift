import KVM
import Synchronization

/// A debugger's hold on a machine: its vCPUs either all wait for the debugger, or go on, each as the debugger's plan says,
/// until one of them comes to something that it was to stop for.
public final class DebugControl: Sendable {
  private struct State {
    /// Whether the debugger keeps the guest out, and since when.
    var since: ContinuousClock.Instant?
    var heldTime = Duration.zero
    var stops: [DebugStop] = []
    var plans: [Int: DebugPlan] = [:]
    var softwareBreakpoints: Set<UInt64> = []
  }

  private let state = Mutex(State())
  private let isAttachedFlag = Atomic<Bool>(false)
  private let keepsInterruptsBackFlag = Atomic<Bool>(false)
  private let gate: PauseGate
  /// Signalled when a vCPU has stopped.
  private let event: EventDescriptor

  init(gate: PauseGate) throws(KVMError) {
    self.gate = gate
    event = try EventDescriptor()
  }

  /// Whether a debugger has plans for the vCPUs; cheap enough for every exit.
  var isAttached: Bool { isAttachedFlag.load(ordering: .acquiring) }

  /// Has vCPUs that wait for the debugger leave interrupts in their local APICs, where this host's KVM can
  /// (KVM_GUESTDBG_BLOCKIRQ). Otherwise the round through KVM's loop that they wait after may take one already, which the
  /// next step then delivers.
  public func keepInterruptsBack() { keepsInterruptsBackFlag.store(true, ordering: .releasing) }

  /// Whether a vCPU that is about to wait does so.
  var keepsInterruptsBack: Bool { keepsInterruptsBackFlag.load(ordering: .acquiring) && isHolding }

  /// A descriptor that can be read once a vCPU has stopped; valid as long as the machine is.
  public var rawDescriptor: Int32 { event.rawDescriptor }

  /// How long the debugger has held the guest so far, all together.
  public var heldTime: Duration {
    state.withLock { $0.heldTime + ($0.since.map { .now - $0 } ?? .zero) }
  }

  /// Keeps all vCPUs out of the guest from their next exit on; before `Machine.start`, from their first entry on. Nothing
  /// where they are kept out already.
  public func hold() {
    let isFirst = state.withLock { state in
      guard state.since == nil else { return false }
      state.since = .now
      return true
    }
    guard isFirst else { return }
    gate.close()
    // The counter is far from full, and whoever waits looks again anyway.
    try? event.write(1)
  }

  /// What the vCPUs have stopped for since the last call; takes the signal of `rawDescriptor` back.
  public func takeStops() -> [DebugStop] {
    _ = try? event.read()
    return state.withLock { state in
      defer { state.stops = [] }
      return state.stops
    }
  }

  /// Whether the vCPUs are kept out.
  public var isHolding: Bool { state.withLock { $0.since != nil } }

  /// What the vCPUs are to stop for from now on. While they are kept out.
  func plan(_ plans: [Int: DebugPlan], softwareBreakpoints: Set<UInt64>) {
    state.withLock {
      $0.plans = plans
      $0.softwareBreakpoints = softwareBreakpoints
    }
    isAttachedFlag.store(!plans.isEmpty, ordering: .releasing)
  }

  /// Ends the debugger's hold.
  ///
  /// - Parameter waiting: the vCPUs that wait on nevertheless.
  /// - Returns: whether nobody else keeps the others out.
  func letGo(keeping waiting: Set<Int>) -> Bool {
    let held = state.withLock { state in
      guard let since = state.since else { return false }
      state.since = nil
      state.heldTime += .now - since
      return true
    }
    guard held else { return false }
    gate.keep(waiting)
    return gate.open() != nil
  }

  /// On a vCPU's thread: it has come to something, and all of them are to stop.
  func report(_ stop: DebugStop) {
    state.withLock { $0.stops.append(stop) }
    hold()
  }

  /// The plan of a vCPU that is let go on.
  func plan(of index: Int) -> DebugPlan? { state.withLock { $0.plans[index] } }

  /// Whether a stop of a vCPU waits to be taken.
  func hasStop(of index: Int) -> Bool { state.withLock { $0.stops.contains { $0.vcpu == index } } }

  /// Whether the debugger has put an INT3 anywhere.
  var hasSoftwareBreakpoints: Bool { state.withLock { !$0.softwareBreakpoints.isEmpty } }

  /// Whether the debugger has put an INT3 there.
  func hasSoftwareBreakpoint(at address: UInt64) -> Bool {
    state.withLock { $0.softwareBreakpoints.contains(address) }
  }
}
