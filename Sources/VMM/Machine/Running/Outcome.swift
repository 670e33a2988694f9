public import APIC
import Glibc
public import KVM
import Synchronization

/// How a guest ended.
public enum Outcome: Sendable {
  /// It said so itself, with a status: 0 is success.
  case finished(status: UInt32, vcpu: Int)
  /// It wrote this value to QEMU's debug exit: 0 is success.
  case debugExit(value: UInt32, vcpu: Int)
  /// It shut down: a triple fault, nearly always.
  case shutdown(vcpu: Int)
  /// It reset the machine.
  case reset(vcpu: Int)
  /// It switched the machine off (ACPI's S5).
  case poweredOff(vcpu: Int)
  /// It raised a system event (KVM_EXIT_SYSTEM_EVENT).
  case systemEvent(String, vcpu: Int)
  /// KVM could not go on with it: an instruction that it cannot emulate, an entry that failed.
  case unrunnable(reason: String, vcpu: Int)
  /// KVM_RUN itself failed.
  case runFailed(KVMError, vcpu: Int)
  /// Every vCPU waits, and nothing can wake one: why, in a sentence.
  case halted(String)
  /// The time limit passed.
  case timeLimit
  /// Somebody outside stopped it.
  case stopped

  /// Whether the guest says that it succeeded.
  public var isSuccess: Bool {
    switch self {
    case .finished(let status, _): status == 0
    case .debugExit(let value, _): value == 0
    case .poweredOff: true
    default: false
    }
  }

  /// Whether the guest ended by itself, and says how: with a status, or by switching off.
  public var isByGuest: Bool {
    switch self {
    case .finished, .debugExit, .poweredOff: true
    default: false
    }
  }

  /// The vCPU that ended it, if one did.
  public var vcpu: Int? {
    switch self {
    case .finished(_, let vcpu), .debugExit(_, let vcpu), .shutdown(let vcpu), .reset(let vcpu), .poweredOff(let vcpu),
      .systemEvent(_, let vcpu), .unrunnable(_, let vcpu), .runFailed(_, let vcpu):
      vcpu
    case .halted, .timeLimit, .stopped: nil
    }
  }
}

extension Outcome: CustomStringConvertible {
  /// What happened, for a person.
  public var description: String {
    switch self {
    case .finished(0, _): "the guest finished"
    case .finished(let status, let vcpu): "the guest finished with status \(status) on vCPU \(vcpu)"
    case .debugExit(0, _): "the guest wrote 0 to the debug exit"
    case .debugExit(let value, let vcpu): "vCPU \(vcpu) wrote \(value) to the debug exit (0 would be success)"
    case .shutdown(let vcpu): "vCPU \(vcpu) shut down: a triple fault"
    case .reset(let vcpu): "vCPU \(vcpu) reset the machine"
    case .poweredOff(let vcpu): "vCPU \(vcpu) switched the machine off"
    case .systemEvent(let event, let vcpu): "vCPU \(vcpu) raised the system event '\(event)'"
    case .unrunnable(let reason, let vcpu): "KVM cannot go on with vCPU \(vcpu): \(reason)"
    case .runFailed(let error, let vcpu): "vCPU \(vcpu): \(error)"
    case .halted(let reason): reason
    case .timeLimit: "the time limit passed"
    case .stopped: "the machine was stopped from outside"
    }
  }
}

/// Ends a machine: the first reason wins, and whoever waits for the end wakes up.
public final class StopSwitch: Sendable {
  private let outcome = Mutex<Outcome?>(nil)
  private let flag = Atomic<Bool>(false)
  let event: EventDescriptor

  init() throws(KVMError) {
    event = try EventDescriptor()
  }

  /// Stops the machine for `reason`, unless it has been stopped already.
  public func stop(_ reason: Outcome) {
    let isFirst = outcome.withLock { outcome in
      guard outcome == nil else { return false }
      outcome = reason
      return true
    }
    guard isFirst else { return }
    flag.store(true, ordering: .releasing)
    // The descriptor is ours, open and far from full: writing 1 to it cannot fail.
    try? event.write(1)
  }

  /// Whether somebody has; cheap enough for every exit.
  var isStopped: Bool { flag.load(ordering: .acquiring) }

  /// Waits until somebody has, at most for `limit`; says whether somebody has.
  @discardableResult
  public func wait(atMost limit: Duration) -> Bool {
    event.wait(atMost: limit)
  }

  /// Why the machine ended, if it has.
  public var reason: Outcome? { outcome.withLock { $0 } }
}

extension EventDescriptor {
  /// Waits until the event is signalled, at most for `limit`; says whether it is. A signal may end the wait early: the
  /// caller looks at its deadline again.
  func wait(atMost limit: Duration) -> Bool {
    var descriptor = pollfd(fd: rawDescriptor, events: Int16(POLLIN), revents: 0)
    // Rounded up, so that a short wait does not become none at all.
    let milliseconds = (limit / .milliseconds(1)).rounded(.up)
    return unsafe poll(&descriptor, 1, Int32(min(milliseconds, 1e9))) > 0
  }
}

/// The state of one vCPU, taken once it no longer runs: what a hang or a crash is reported with.
public struct VCPUReport: Sendable {
  /// Its index.
  public var index: Int
  /// Whether it runs, is halted or waits for a SIPI.
  public var state: MPState
  /// Its general registers.
  public var registers: Registers
  /// Its special registers.
  public var specialRegisters: SpecialRegisters
  /// Its local APIC.
  public var localAPIC: LocalAPICState

  init(of vcpu: VCPU, index: Int) throws(KVMError) {
    self.index = index
    state = try vcpu.mpState()
    registers = try vcpu.registers()
    specialRegisters = try vcpu.specialRegisters()
    localAPIC = try vcpu.localAPIC()
  }
}
