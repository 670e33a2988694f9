public import APIC
import VMM

/// The interval timer, programmed as a guest does.
extension TestContext {
  /// Gives a channel its mode and its count, on the bootstrap processor. Mode 5 only loads the count: nothing opens the
  /// gate of channel 0, so it stops the channel and raises no interrupt.
  ///
  /// - Parameters:
  ///   - mode: how it counts.
  ///   - count: 0 stands for 65536.
  ///   - channel: the channel.
  public func setPIT(_ mode: PIT.Mode, count: UInt16, of channel: PIT.Channel = .timer) throws {
    try self[vcpu: 0].writePort(PIT.commandPort, UInt32(PIT.Command(channel, mode: mode).rawValue))
    try self[vcpu: 0].writePort(channel.port, UInt32(count & 0xff))
    try self[vcpu: 0].writePort(channel.port, UInt32(count >> 8))
  }

  /// So many counts of the PIT in cycles of the TSC.
  public func cycles(pitCounts: UInt64) -> UInt64 {
    pitCounts * UInt64(machine.clock.kHz) * 1000 / UInt64(PIT.frequency)
  }
}
