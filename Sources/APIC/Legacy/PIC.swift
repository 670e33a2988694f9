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
