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
