public import APIC
import GuestContract
import VMM

extension AgentVCPU {
  /// Lets the handlers go on that hold on this vCPU, and does not hold those to come.
  public func openGate() throws { try test.machine.mailbox(of: index).setGate(open: true) }

  /// Has it send an interprocessor interrupt `times` times, each when all that the one before raises are recorded, so
  /// that none can fall together with another. Begun, not waited for: see `finishVolley`.
  ///
  /// - Parameters:
  ///   - command: the interrupt; nobody else sends its vector.
  ///   - times: how often.
  ///   - receivers: how many vCPUs each of them interrupts.
  public func beginVolley(_ command: InterruptCommand, times: Int, receivers: Int) throws {
    let (seconds, _) = test.patience.components
    let cycles = UInt64(test.machine.clock.kHz) * 1000 * UInt64(max(seconds / 2, 1))
    try begin(.volley, [command.rawValue, UInt64(times), UInt64(receivers), cycles])
  }

  /// Waits for its end; how many of them were recorded everywhere.
  public func finishVolley() throws -> Int { Int(clamping: try finish(.volley).first) }
}

extension AgentVCPU {
  /// Lets interrupts in, where one of them is going to hold: not waited for.
  public func beginEnablingInterrupts() throws { try begin(.setInterrupts, [1]) }

  /// Has it halt, with interrupts let in, whether it has come to sleep yet or not when the next interrupt wakes it.
  public func beginHalting() throws { try begin(.halt, [0]) }
}
