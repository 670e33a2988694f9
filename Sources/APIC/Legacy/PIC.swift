/// The pair of 8259A interrupt controllers of a PC (8259A data sheet).
public enum PIC {
  /// One of the pair.
  public enum Chip: UInt8, Sendable {
    /// The one that interrupts the processor; it has lines 0 to 7.
    case master = 0
    /// The one behind line 2 of the master; it has lines 8 to 15.
    case slave = 1

    /// The port that takes ICW1, OCW2 and OCW3, and gives the IRR or the ISR.
    public var commandPort: UInt16 { self == .master ? 0x20 : 0xa0 }

    /// The port that takes ICW2 to ICW4, then OCW1: the mask, a bit a line, which it also gives.
    public var dataPort: UInt16 { self == .master ? 0x21 : 0xa1 }

    /// The port of the chip's ELCR: a bit a line, set if the line is level-triggered.
    public var edgeLevelPort: UInt16 { self == .master ? 0x4d0 : 0x4d1 }

    /// ICW3: to the master the lines that have a slave, to the slave its number.
    public var cascade: UInt8 { self == .master ? 1 << PIC.cascadeLine : PIC.cascadeLine }
  }

  /// The line of the master that the slave raises.
  public static var cascadeLine: UInt8 { 2 }
}

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

extension PIC {
  /// OCW2 and OCW3: what software tells an initialized chip.
  public struct OperationCommand: RawRepresentable, Hashable, Sendable {
    /// The byte to write to the command port.
    public var rawValue: UInt8

    /// The command that is that byte.
    public init(rawValue: UInt8) {
      self.rawValue = rawValue
    }

    /// Ends the interrupt of highest priority in service.
    public static var endOfInterrupt: Self { Self(rawValue: 0x20) }

    /// Ends the interrupt of one line.
    ///
    /// - Parameter line: 0 to 7, of the chip.
    public static func endOfInterrupt(line: UInt8) -> Self {
      Self(rawValue: 0x60 | line & 7)
    }

    /// Makes the command port give the IRR.
    public static var readInterruptRequest: Self { Self(rawValue: 0x0a) }

    /// Makes the command port give the ISR.
    public static var readInService: Self { Self(rawValue: 0x0b) }

    /// Acknowledges an interrupt through the next read: bit 7 is set if there is one, and bits 2:0 are its line.
    public static var poll: Self { Self(rawValue: 0x0c) }

    /// Lets every line interrupt that is not masked, even those below one in service.
    public static var setSpecialMask: Self { Self(rawValue: 0x68) }

    /// Ends what `setSpecialMask` began.
    public static var clearSpecialMask: Self { Self(rawValue: 0x48) }
  }
}
