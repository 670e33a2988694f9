extension InterruptCommand {
  /// A fixed interrupt.
  ///
  /// - Parameters:
  ///   - vector: 16 to 255; a lower one is an error that the ESR records.
  ///   - destination: The processors that get it.
  public static func interrupt(_ vector: Vector, to destination: Destination) -> InterruptCommand {
    InterruptCommand(vector: vector, destination: destination)
  }

  /// A fixed interrupt to the sender itself.
  ///
  /// - Parameter vector: 16 to 255; a lower one is an error that the ESR records.
  public static func toSelf(_ vector: Vector) -> InterruptCommand {
    InterruptCommand(vector: vector, shorthand: .`self`)
  }

  /// A non-maskable interrupt.
  ///
  /// - Parameter destination: The processors that get it.
  public static func nmi(to destination: Destination) -> InterruptCommand {
    InterruptCommand(deliveryMode: .nmi, destination: destination)
  }

  /// An INIT, after which the processor waits for a start-up message (SDM volume 3A, section 10.4).
  ///
  /// - Parameter destination: The processors that get it.
  public static func initialize(to destination: Destination) -> InterruptCommand {
    InterruptCommand(deliveryMode: .initialize, destination: destination)
  }

  /// A start-up message, a SIPI (SDM volume 3A, section 10.4).
  ///
  /// - Parameters:
  ///   - page: The 4 KiB page below 1 MiB in which the processor starts, in real mode.
  ///   - destination: The processors that get it.
  public static func startUp(page: UInt8, to destination: Destination) -> InterruptCommand {
    InterruptCommand(vector: Vector(rawValue: page), deliveryMode: .startUp, destination: destination)
  }
}
