import APIC
import KVM
import MachineState

/// The timer of a local APIC: how it is set, and what remains of its time.
public struct TimerReport: Codable, Hashable, Sendable {
  /// `one-shot`, `periodic`, `TSC-deadline` or `reserved mode`.
  public var mode: String
  /// The vector that it raises.
  public var vector: UInt8
  /// Whether it stays silent.
  public var isMasked: Bool
  /// How it stands.
  public var phase: Phase
  /// The time until it fires in nanoseconds, negative for a deadline that has passed; absent where it does not run, or
  /// where the state has no frequency to tell it by.
  public var remaining: Int64?
  /// The time between two interrupts in nanoseconds; absent where there is no second.
  public var period: Int64?
  /// The same for a person.
  public var text: String

  /// How a timer stands.
  public enum Phase: String, Codable, Sendable {
    /// It counts, or waits for its deadline.
    case running
    /// Its deadline has passed: it fires when the vCPU goes on.
    case overdue
    /// It has counted to 0 or has no deadline.
    case stopped
    /// The file does not say.
    case notKnown = "not-known"
  }

  /// The timer of a page alone.
  ///
  /// - Parameters:
  ///   - page: the registers.
  ///   - busCycle: the length of a cycle of the APIC bus in nanoseconds (KVM_CAP_X86_APIC_BUS_CYCLES_NS; 1 by default).
  ///   - deadline: what is known for TSC-deadline mode; nil where nothing is.
  ///   - knowsCount: whether the current count is known.
  init(_ page: LocalAPICState, busCycle: UInt64 = 1, deadline: Deadline? = nil, knowsCount: Bool = true) {
    let entry = page.lvt(.timer)
    mode = entry.timerMode?.words ?? "reserved mode"
    vector = entry.vector.rawValue
    isMasked = entry.isMasked
    phase = .stopped
    text = "stopped"
    switch entry.timerMode {
    case .oneShot, .periodic:
      let cycles = UInt64(page.divide.divisor)
      if entry.timerMode == .periodic, page.initialCount > 0 {
        period = Self.nanoseconds(UInt64(page.initialCount) * cycles, busCycle)
      }
      guard knowsCount || page.initialCount == 0 else {
        phase = .notKnown
        text = "counts from \(page.initialCount), divided by \(cycles); how much is left is not in this file"
        break
      }
      guard page.initialCount > 0, page.currentCount > 0 else { break }
      phase = .running
      remaining = Self.nanoseconds(UInt64(page.currentCount) * cycles, busCycle)
      text =
        "\(Units.span(remaining ?? 0)) left: \(page.currentCount) of \(page.initialCount), divided by \(cycles)"
        + (period.map { ", every \(Units.span($0))" } ?? "")
    case .tscDeadline:
      guard let deadline else {
        phase = .notKnown
        text = "the deadline is in an MSR, which this file does not have"
        break
      }
      guard deadline.target != 0 else { break }
      let isAhead = deadline.target > deadline.tsc
      phase = isAhead ? .running : .overdue
      let cycles = isAhead ? deadline.target - deadline.tsc : deadline.tsc - deadline.target
      let span = Self.nanoseconds(cycles, kHz: deadline.kHz)
      remaining = span.map { isAhead ? $0 : -$0 }
      let time = span.map { Units.span($0) } ?? "\(cycles) cycles"
      text =
        isAhead
        ? "\(time) left, until the TSC is \(hex(deadline.target))"
        : "\(time) overdue: it fires when the vCPU goes on"
    case nil: break
    }
    if isMasked, phase != .stopped { text += "; masked" }
  }

  /// What TSC-deadline mode counts with.
  struct Deadline {
    /// IA32_TSC_DEADLINE; 0 for none.
    var target: UInt64
    /// The guest's TSC.
    var tsc: UInt64
    /// Its frequency, 0 where it is not known.
    var kHz: UInt32
  }

  private static func nanoseconds(_ cycles: UInt64, _ length: UInt64) -> Int64 {
    let product = cycles.multipliedReportingOverflow(by: length)
    return product.overflow ? .max : Int64(clamping: product.partialValue)
  }

  private static func nanoseconds(_ cycles: UInt64, kHz: UInt32) -> Int64? {
    guard kHz > 0 else { return nil }
    let product = cycles.multipliedFullWidth(by: 1_000_000)
    // The quotient fits 64 bits as long as the upper half is below the divisor.
    guard product.high < UInt64(kHz) else { return .max }
    return Int64(clamping: UInt64(kHz).dividingFullWidth(product).quotient)
  }
}

extension TimerReport {
  /// The timer of a vCPU.
  ///
  /// - Parameters:
  ///   - vcpu: the vCPU.
  ///   - busCycle: the length of a cycle of the APIC bus in nanoseconds.
  ///   - knowsCount: whether the current count is known.
  ///   - knowsDeadline: whether IA32_TSC_DEADLINE is known.
  init(_ vcpu: VCPUState, busCycle: UInt64, knowsCount: Bool = true, knowsDeadline: Bool = true) {
    let target = knowsDeadline ? vcpu.msr(MSR.tscDeadline) : nil
    let deadline = target.flatMap { target in
      vcpu.msr(MSR.tsc).map { Deadline(target: target, tsc: $0, kHz: vcpu.tscKHz) }
    }
    self.init(vcpu.localAPIC, busCycle: busCycle, deadline: deadline, knowsCount: knowsCount)
  }
}

extension MachineState {
  /// The length of a cycle of the APIC bus in nanoseconds (KVM_CAP_X86_APIC_BUS_CYCLES_NS; 1, that is 1 GHz, where it was
  /// not set).
  var apicBusCycle: UInt64 {
    settings.capabilities.last { $0.capability == .apicBusCycles }?.arguments.first ?? 1
  }
}
