/// How the local APIC's timer runs (SDM volume 3A, section 12.5.4).
///
/// Encoding 3 is reserved; an `LVTEntry` that holds it gives `nil`.
public enum TimerMode: UInt8, Sendable {
  /// Counts down once.
  case oneShot = 0
  /// Counts down, and starts again from the initial count.
  case periodic = 1
  /// Waits until the TSC reaches IA32_TSC_DEADLINE (SDM volume 3A, section 12.5.4.1).
  case tscDeadline = 2

  /// The encoding that means no mode.
  static var reservedEncoding: UInt8 { 3 }
}

#if !hasFeature(Embedded)
extension TimerMode: CaseIterable {}
#endif
