/// QEMU's isa-debug-exit: a guest that writes to it ends, 0 meaning success here.
public final class DebugExitPort: BusDevice {
  /// Where guests look for it.
  public static let ports: Range<UInt64> = 0xf4..<0xf8

  /// The exit status that QEMU makes of a written value: never 0, and at most 255.
  public static func status(of value: UInt32) -> Int32 { Int32((value << 1 | 1) & 0xff) }

  private let stop: StopSwitch

  /// A port that stops the machine.
  public init(stop: StopSwitch) {
    self.stop = stop
  }

  /// QEMU's device reads as zero.
  public func read(_ access: BusAccess) -> UInt64 { 0 }

  /// Ends the guest with `value`.
  public func write(_ value: UInt64, _ access: BusAccess) {
    stop.stop(.debugExit(value: UInt32(truncatingIfNeeded: value), vcpu: access.vcpu))
  }
}
