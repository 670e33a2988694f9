/// The 8254 interval timer of a PC (8254 data sheet).
public enum PIT {
  /// The frequency of its clock in Hz: a twelfth of 14.318 MHz.
  public static var frequency: UInt32 { 1_193_182 }

  /// The port that takes a `Command`.
  public static var commandPort: UInt16 { 0x43 }

  /// The port with the gate and the output of channel 2, whose bits are `SystemControl`.
  public static var systemControlPort: UInt16 { 0x61 }

  /// A counter of the chip.
  public enum Channel: UInt8, Sendable {
    /// The one that raises IRQ 0.
    case timer = 0
    /// The one that refreshed memory.
    case refresh = 1
    /// The one behind the speaker, whose gate and output software reaches.
    case speaker = 2

    /// The port that takes and gives its count.
    public var port: UInt16 { 0x40 + UInt16(rawValue) }
  }

  /// How a channel counts.
  public enum Mode: UInt8, Sendable {
    /// Mode 0: the output rises at the end of the count.
    case interruptOnTerminalCount = 0
    /// Mode 1: the gate starts a low pulse as long as the count.
    case hardwareOneShot = 1
    /// Mode 2: the output is low for one clock of each period.
    case rateGenerator = 2
    /// Mode 3: the output is high for half of each period.
    case squareWave = 3
    /// Mode 4: the count starts when it is written, and ends in a low pulse of one clock.
    case softwareStrobe = 4
    /// Mode 5: the gate starts the count, which ends in a low pulse of one clock.
    case hardwareStrobe = 5
  }

  /// Which bytes of the count go through a channel's port.
  public enum Access: UInt8, Sendable {
    /// None: the count is latched for the next read.
    case latch = 0
    /// The low byte.
    case low = 1
    /// The high byte.
    case high = 2
    /// The low byte, then the high byte.
    case lowThenHigh = 3
  }

  /// The count that makes a channel run at about a frequency, where 0 stands for 65536.
  ///
  /// - Parameter hertz: 19 to 1193182; what lies outside is taken to the nearer end.
  public static func count(hertz: UInt32) -> UInt16 {
    UInt16(truncatingIfNeeded: min(max(frequency / max(hertz, 1), 1), 65_536))
  }
}

extension PIT {
  /// A control word: what sets up a channel, or latches its count and status to be read.
  public struct Command: RawRepresentable, Hashable, Sendable {
    /// The byte to write to the command port.
    public var rawValue: UInt8

    /// The command that is that byte.
    public init(rawValue: UInt8) {
      self.rawValue = rawValue
    }

    /// The command that makes a channel wait for its count.
    ///
    /// - Parameters:
    ///   - channel: The channel.
    ///   - mode: How it counts.
    ///   - access: Which bytes of the count follow.
    public init(_ channel: Channel, mode: Mode, access: Access = .lowThenHigh) {
      self.init(rawValue: channel.rawValue << 6 | access.rawValue << 4 | mode.rawValue << 1)
    }

    /// The command that latches a channel's count for the next read.
    public static func latch(_ channel: Channel) -> Self {
      Self(rawValue: channel.rawValue << 6)
    }

    /// The command that latches the status and, if asked, the count of a channel: a read-back.
    ///
    /// The first byte read is the status: bit 7 is the output, bit 6 is set while the count is not yet loaded.
    ///
    /// - Parameters:
    ///   - channel: The channel.
    ///   - count: Whether to latch its count too, to be read after the status.
    public static func readBack(_ channel: Channel, count: Bool = false) -> Self {
      Self(rawValue: 0xc0 | (count ? 0 : 0x20) | 2 << channel.rawValue)
    }
  }

  /// The bits of port 0x61 that belong to channel 2.
  public struct SystemControl: RawRepresentable, Hashable, Sendable {
    /// The port's value.
    public var rawValue: UInt8

    /// The bits of that value of the port.
    public init(rawValue: UInt8) {
      self.rawValue = rawValue
    }

    /// Bit 0: the channel counts.
    public var gate: Bool {
      get { rawValue[bit: 0] }
      set { rawValue[bit: 0] = newValue }
    }

    /// Bit 1: the output reaches the speaker.
    public var speaker: Bool {
      get { rawValue[bit: 1] }
      set { rawValue[bit: 1] = newValue }
    }

    /// Bit 5, read-only: the output is high.
    public var output: Bool { rawValue[bit: 5] }
  }
}
