public import APIC
import GuestContract

extension Machine {
  /// The mailbox of a vCPU, for a machine that runs the guest `agent`.
  ///
  /// - Parameter index: the vCPU's.
  public func mailbox(of index: Int) -> AgentMailbox {
    AgentMailbox(
      memory: memory, address: layout.mailboxes + UInt64(index) * UInt64(MemoryLayout<Mailbox>.stride))
  }

  /// How often a vCPU has recorded a vector, as its guest counts. Reading it does not disturb the guest.
  ///
  /// - Parameters:
  ///   - vector: any vector.
  ///   - index: the vCPU's.
  /// - Returns: the count; 0 for guests that do not count.
  public func recorded(_ vector: Vector, on index: Int) -> Int {
    let area = layout.processorArea + UInt64(index) * BootLayout.processorStride
    let address = area + UInt64(LAPWING_PROCESSOR_COUNTS) + 4 * UInt64(vector.rawValue)
    return Int((try? memory.load(UInt32.self, at: address)) ?? 0)
  }
}
