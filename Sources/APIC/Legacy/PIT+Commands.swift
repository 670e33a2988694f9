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
