import APIC
import KVM

/// Turns a guest's TSC into the host's time.
///
/// KVM starts all TSCs of a machine together and lets them run at one frequency, so one pair of readings ties guest time
/// to host time, to within the few microseconds that the readings take.
public struct GuestClock: Sendable {
  /// The frequency of the guest's TSC, in kHz.
  public let kHz: UInt32
  private let tsc: UInt64
  private let host: ContinuousClock.Instant

  init(_ vcpu: VCPU) throws(KVMError) {
    kHz = try vcpu.tscFrequency()
    host = .now
    tsc = try vcpu.msrs([MSR.tsc]).entries.first?.value ?? 0
  }

  /// When the guest's TSC showed `value`. A guest may report anything; what lies before the machine was built is taken
  /// as then.
  public func instant(_ value: UInt64) -> ContinuousClock.Instant {
    let cycles = value > tsc ? value - tsc : 0
    return host + .nanoseconds(Int64(clamping: UInt64(Double(cycles) * 1e6 / Double(max(kHz, 1)))))
  }
}
