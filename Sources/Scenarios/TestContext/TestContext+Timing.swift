public import APIC
import Glibc
import VMM

/// When things happened, and races that a slow host may lose.
extension TestContext {
  /// Waits until a vCPU has written down so many interrupts through `vector`: the TSC as its handler saw it, each time.
  /// Takes what the guest has logged until then.
  public func moments(of vector: Vector, on vcpu: Int, atLeast count: Int) throws -> [UInt64] {
    var moments: [UInt64] = []
    try until("vCPU \(vcpu) logs \(vector) \(count) times") {
      for record in machine.log.next() where record.vcpu == vcpu {
        if case .interrupt(vector, _) = record.event { moments.append(record.tsc) }
      }
      return moments.count >= count
    }
    return moments
  }

  /// Checks that something came no earlier than it was due.
  ///
  /// - Parameters:
  ///   - moment: when it came, by the TSC.
  ///   - due: when it was due, by the TSC.
  ///   - what: what came.
  func checkNotEarly(_ moment: UInt64, due: UInt64, what: String = "it") throws {
    try check("\(what) is not early", moment >= due, saw: "it \(due &- moment) cycles before")
  }

  /// Checks that something came no earlier than a timer may have it: its clock and that of the TSC differ a little.
  ///
  /// - Parameters:
  ///   - moment: when it came, by the TSC.
  ///   - start: when the timer was started, at the earliest.
  ///   - cycles: how long the timer was to run, in cycles of the TSC.
  ///   - what: what came.
  func checkNotEarly(_ moment: UInt64, from start: UInt64, after cycles: UInt64, what: String = "it") throws {
    try checkNotEarly(moment, due: start + cycles / 100 * 99, what: what)
  }

  /// Checks that no tick of a periodic timer came earlier than it may.
  ///
  /// - Parameters:
  ///   - moments: when the first ticks came, by the TSC.
  ///   - start: when the timer was started, at the earliest.
  ///   - period: in cycles of the TSC.
  func checkTicksNotEarly(_ moments: [UInt64], from start: UInt64, period: UInt64) throws {
    for (index, moment) in moments.enumerated() {
      try checkNotEarly(moment, from: start, after: period * UInt64(index + 1), what: "tick \(index + 1)")
    }
  }

  /// Does something that is only of use before a moment in the future, with ever more time and ever another vector, until
  /// it was done in time.
  ///
  /// - Parameters:
  ///   - vcpu: whose TSC counts.
  ///   - body: is given the vector and how long is left, in milliseconds; gives the TSC value that it must not reach.
  /// - Returns: the vector and the TSC value of the attempt that was in time.
  public func inTime(
    on vcpu: AgentVCPU, _ body: (_ vector: Vector, _ milliseconds: UInt64) throws -> UInt64
  ) throws -> (vector: Vector, deadline: UInt64) {
    for (vector, milliseconds) in zip([0x61, 0x62, 0x63, 0x64] as [Vector], [15, 60, 250, 1000] as [UInt64]) {
      let deadline = try body(vector, milliseconds)
      if try vcpu.readTSC() < deadline { return (vector, deadline) }
    }
    throw ScenarioFailure("the host is too slow: a second was not enough for two operations of the agent")
  }
}

/// Waiting between two looks at a condition.
enum Pause {
  static func sleep(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    var time = timespec(tv_sec: Int(clamping: seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
    // A signal may end it early, which only makes the next look come sooner.
    unsafe nanosleep(&time, nil)
  }
}

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
