extension PIC {
  /// ICW1, which begins the initialization of a chip.
  public struct InitializationCommand1: RawRepresentable, Hashable, Sendable {
    /// The byte to write to the command port.
    public var rawValue: UInt8

    /// The command that is that byte.
    public init(rawValue: UInt8) {
      self.rawValue = rawValue
    }

    /// A command made of its bits; bit 4 makes it an ICW1.
    ///
    /// - Parameters:
    ///   - isLevelTriggered: LTIM: every line is level-triggered. A PC has the ELCR for that.
    ///   - isSingle: SNGL: the chip is alone, and no ICW3 follows.
    ///   - needsICW4: IC4: an ICW4 follows.
    public init(isLevelTriggered: Bool = false, isSingle: Bool = false, needsICW4: Bool = true) {
      self.init(rawValue: 0x10)
      rawValue[bit: 3] = isLevelTriggered
      rawValue[bit: 1] = isSingle
      rawValue[bit: 0] = needsICW4
    }
  }

  /// ICW4, which ends the initialization of a chip.
  public struct InitializationCommand4: RawRepresentable, Hashable, Sendable {
    /// The byte to write to the data port.
    public var rawValue: UInt8

    /// The command that is that byte.
    public init(rawValue: UInt8) {
      self.rawValue = rawValue
    }

    /// A command made of its bits; bit 0, uPM, is set because the processor is an 8086 or later.
    ///
    /// - Parameters:
    ///   - endsAutomatically: AEOI: an interrupt ends when it is acknowledged.
    ///   - isSpecialFullyNested: SFNM: a line of the slave in service does not hold back the slave's higher lines.
    public init(endsAutomatically: Bool = false, isSpecialFullyNested: Bool = false) {
      self.init(rawValue: 0x01)
      rawValue[bit: 1] = endsAutomatically
      rawValue[bit: 4] = isSpecialFullyNested
    }
  }
}
