import APIC
import GuestContract
import GuestMachine

/// An interrupt as its handler sees it: what it interrupted.
public typealias Interrupt = UnsafePointer<TrapFrame>

extension UnsafePointer where Pointee == TrapFrame {
  /// The vector through which it came.
  public var vector: Vector { Vector(rawValue: UInt8(truncatingIfNeeded: pointee.vector)) }
  /// The address of the instruction that would have run next.
  public var instruction: UInt64 { pointee.rip }
  /// What an exception pushed, 0 for everything else.
  public var errorCode: UInt64 { pointee.errorCode }
}

/// A closure that captures nothing: there is no heap to capture into.
public typealias InterruptHandler = @convention(c) (Interrupt) -> Void

/// The table of handlers, which all processors share.
public struct Interrupts {
  private var handlers = InlineArray<256, InterruptHandler?>(repeating: nil)
  /// Handles the vectors that have no handler of their own; without it they end the guest.
  public var fallback: InterruptHandler?

  /// Runs `handler`, with interrupts off, whenever a processor takes `vector`.
  public mutating func handle(_ vector: Vector, with handler: InterruptHandler) {
    handlers[Int(vector.rawValue)] = handler
  }

  /// Handles `vector` as most guests want it: it is recorded, then its service ends.
  public mutating func acknowledge(_ vector: Vector) {
    handle(vector) { interrupt in
      record(interrupt)
      localAPIC.endOfInterrupt()
    }
  }

  /// Lets this processor take interrupts from now on.
  public func enable() { interrupts_enable() }

  /// Holds off interrupts on this processor.
  public func disable() { interrupts_disable() }

  fileprivate subscript(vector: Vector) -> InterruptHandler? { handlers[Int(vector.rawValue)] }
}

/// The one table of handlers.
nonisolated(unsafe) public var interrupts = Interrupts()

@c(guest_interrupt) func take(_ interrupt: Interrupt) {
  if let handler = interrupts[interrupt.vector] {
    handler(interrupt)
  } else if interrupt.vector == 6 || interrupt.vector == 13,
    processor_recover(UnsafeMutablePointer(mutating: interrupt)) != 0
  {
    return
  } else if let fallback = interrupts.fallback {
    fallback(interrupt)
  } else {
    unexpected(interrupt)
  }
}

/// Nobody expected this one: say so and end with a status that is not success.
private func unexpected(_ interrupt: Interrupt) {
  log(.exception, vector: interrupt.vector, value: interrupt.instruction, errorCode: interrupt.errorCode)
  finish(status: 2)
}
