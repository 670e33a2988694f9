import APIC
import KVM

/// Turns a guest's TSC into the host's time.
///
/// KVM starts all TSCs of a machine together and lets them run at one frequency, so one pair of readings ties guest time
/// to host time, to within the few microseconds that the readings take.
public struct GuestClock: Sendable {
  /// The frequency of the guest's TSC, in kHz.
  public let kHz: UInt32
  /// In nanoseconds: far beyond any run, and far from what an Int64 holds.
  private static let century = 3.2e18

  private let tsc: UInt64
  private let host: ContinuousClock.Instant

  init(_ vcpu: VCPU) throws(KVMError) {
    let kHz = try vcpu.tscFrequency()
    // The closest of a few: the first brings code and data into the caches, and this thread may be preempted.
    var best: (tsc: UInt64, host: ContinuousClock.Instant, width: Duration)?
    for _ in 0..<3 {
      let before = ContinuousClock.now
      let tsc = try vcpu.msrs([MSR.tsc]).entries.first?.value ?? 0
      let width = ContinuousClock.now - before
      if best.map({ width < $0.width }) ?? true { best = (tsc, before + width / 2, width) }
    }
    self.init(kHz: kHz, tsc: best?.tsc ?? 0, host: best?.host ?? .now)
  }

  /// A clock whose TSC showed `tsc` at the host's time `host`.
  init(kHz: UInt32, tsc: UInt64, host: ContinuousClock.Instant) {
    self.kHz = kHz
    self.tsc = tsc
    self.host = host
  }

  /// When the guest's TSC showed `value`. A guest may report anything; what lies before the machine was built is taken
  /// as then, and what lies more than a century ahead as a century ahead.
  public func instant(_ value: UInt64) -> ContinuousClock.Instant {
    let cycles = value > tsc ? value - tsc : 0
    let nanoseconds = min(Double(cycles) * 1e6 / Double(max(kHz, 1)), Self.century)
    return host + .nanoseconds(Int64(nanoseconds))
  }

  /// What the guest's TSC shows at a moment of the host's time, unless somebody sets it; a moment before the machine was
  /// built is taken as that one.
  public func tsc(at instant: ContinuousClock.Instant) -> UInt64 {
    let nanoseconds = max(0, (instant - host) / .nanoseconds(1))
    return tsc &+ UInt64(min(nanoseconds, Self.century) * Double(kHz) / 1e6)
  }
}
