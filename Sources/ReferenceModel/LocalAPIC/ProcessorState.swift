public import APIC

/// What of a processor a local APIC decides: whether it runs, and which of INIT, SIPI and NMI wait.
public struct ProcessorState: Hashable, Sendable {
  /// What the processor does.
  public enum Activity: Hashable, Sendable {
    /// It executes instructions.
    case running
    /// It waits for INIT, as an application processor does after power-up.
    case waitingForINIT
    /// It waits for SIPI.
    case waitingForSIPI
    /// It has executed HLT.
    case halted
  }

  /// What the processor does.
  public var activity: Activity
  /// An INIT waits.
  public var hasINIT = false
  /// A SIPI waits.
  public var hasSIPI = false
  /// The vector of the last SIPI.
  public var startUpPage: UInt8 = 0
  /// The page in which the processor started last; nil where it did not.
  public var startedAt: UInt8?
  /// Whether INIT or SIPI have put it elsewhere since somebody last looked.
  public var hasRestarted = false
  /// Whether something has happened for which the processor has to look for interrupts (KVM_REQ_EVENT).
  public var hasEvent = true { didSet { if hasEvent { hasLooked = false } } }
  /// Whether it has looked since: what it has found waits until it takes interrupts again, and it leaves the guest then.
  public var hasLooked = false
  /// Whether it is to learn anew which EOIs the IOAPIC is to hear of (KVM_REQ_SCAN_IOAPIC).
  public var hasScanRequest = true
  /// The highest vector that it has in hand and that no pin sends it any more: its EOI makes it learn anew.
  public var staleVector: UInt8?
  /// Whether its writes to CR8 leave the guest, because the TPR held an interrupt back when it entered, or
  /// it has not entered with its local APIC enabled yet.
  public var isTaskPriorityWatched = true
  /// How many NMIs wait: one, and one more that came meanwhile (`process_nmi`).
  public var pendingNMIs: UInt8 = 0
  /// Whether it is in the handler of something that it took, whose IRET is still to come.
  public var isInHandler = false
  /// Whether NMIs are held back until IRET.
  public var isNMIMasked = false

  /// Whether an NMI has come since the processor last executed something (KVM_REQ_NMI).
  public var hasNMIRequest = false
  /// Whether a message of the reserved delivery mode wakes it, now or at its next HLT (`pv_unhalted`).
  public var isWokenByMessage = false

  /// What KVM was to inject at an entry that the processor refused, and injects at the next one.
  public var queued: QueuedEvent?
  /// What an NMI has come before the first instruction of the handler of.
  public var interrupted: Vector?

  /// A processor that does that.
  public init(activity: Activity) { self.activity = activity }
}

/// An event that was taken from where it waited, and has not reached the guest.
public struct QueuedEvent: Hashable, Sendable {
  /// Its vector.
  public var vector: Vector
  /// Whether it is an NMI, which then counts as being handled.
  public var isNMI: Bool

  /// An event.
  public init(vector: Vector, isNMI: Bool) {
    self.vector = vector
    self.isNMI = isNMI
  }
}

extension ReferenceLocalAPIC {
  /// Takes INIT and SIPI that wait, INIT first (SDM volume 3A, section 10.4; `kvm_apic_accept_events`).
  ///
  /// - Returns: Whether there was an INIT, which changes registers that others look at.
  @discardableResult
  public mutating func acceptEvents() -> Bool {
    guard processor.hasINIT || processor.hasSIPI else { return false }
    let wasINIT = processor.hasINIT
    if wasINIT {
      met.insert(.initTaken)
      processor.hasINIT = false
      reset()
      processor.hasEvent = true
      processor.pendingNMIs = 0
      processor.isNMIMasked = false
      processor.queued = nil
      processor.hasRestarted = true
      processor.activity = base.isBootstrapProcessor ? .running : .waitingForSIPI
      forgetWakeUp()
    }
    if processor.hasSIPI {
      processor.hasSIPI = false
      // A processor that does not wait for it ignores a SIPI (SDM volume 3A, section 10.4.2).
      met.insert(processor.activity == .waitingForSIPI ? .startUpStarts : .startUpIgnored)
      if processor.activity == .waitingForSIPI {
        processor.startedAt = processor.startUpPage
        processor.hasRestarted = true
        processor.activity = .running
        forgetWakeUp()
      }
    }
    return wasINIT
  }

  /// A processor that runs, because it was told to, needs no message that would wake it (`kvm_set_mp_state`).
  mutating func forgetWakeUp() {
    guard processor.activity == .running, !deviations.contains(.wakeUpKept) else { return }
    processor.isWokenByMessage = false
  }

  /// An NMI comes: one is taken, one more waits, others are lost (SDM volume 3A, section 7.7.1; `process_nmi`).
  public mutating func acceptNMI() {
    met.insert(.nmiWaits)
    let limit: UInt8 = processor.isNMIMasked ? 1 : 2
    processor.hasEvent = true
    processor.hasNMIRequest = true
    processor.pendingNMIs = min(limit, processor.pendingNMIs + 1)
  }
}
