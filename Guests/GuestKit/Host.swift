import APIC
import GuestContract
import GuestMachine

/// Tells the host that the guest is set up and waits for what it does next.
public func ready() { command(.ready) }

/// Tells the host that the guest has come to point `number` of its scenario.
public func reached(_ number: UInt32) { command(.mark, number) }

/// Ends the guest; a status other than 0 is a failure.
public func finish(status: UInt32 = 0) -> Never {
  command(.finish, status)
  while true { cpu_disable_and_halt() }
}

/// Asks for what happens outside of the guest: devices, as far as their interrupts go.
public struct Host: Sendable {
  /// The answer of KVM_SIGNAL_MSI: above 0 for delivered, 0 for blocked by the guest, negative for an error.
  @discardableResult
  public func signal(_ message: MSIMessage) -> Int {
    request {
      $0.kind = .signalMSI
      $0.address = message.address
      $0.data = message.data
    }
  }

  /// The answer of KVM_IRQ_LINE_STATUS: the number of CPUs that got it, 0 for coalesced, -1 for ignored.
  @discardableResult
  public func setLine(_ gsi: UInt32, to level: Bool) -> Int {
    request {
      $0.kind = .setLine
      $0.gsi = gsi
      $0.level = level ? 1 : 0
    }
  }

  /// Routes `gsi` to an MSI.
  @discardableResult
  public func route(_ gsi: UInt32, to message: MSIMessage) -> Int {
    request {
      $0.kind = .routeMSI
      $0.gsi = gsi
      $0.address = message.address
      $0.data = message.data
    }
  }

  /// Writes to the eventfd that is the irqfd of `gsi`.
  @discardableResult
  public func trigger(irqfd gsi: UInt32) -> Int {
    request {
      $0.kind = .triggerIRQFD
      $0.gsi = gsi
    }
  }

  /// Lets writes of 32 bits to `port` signal the irqfd of `gsi`, or an eventfd that nobody waits for, without an exit.
  @discardableResult
  public func assignIOEvent(port: UInt16, irqfd gsi: UInt32?) -> Int {
    request {
      $0.kind = .assignIOEvent
      $0.data = UInt32(port)
      $0.gsi = gsi ?? 0
      $0.level = gsi == nil ? 0 : 1
    }
  }

  private func request(_ fill: (inout HostRequest) -> Void) -> Int {
    let offset = UInt(processor_index()) &* UInt(MemoryLayout<HostRequest>.stride)
    guard let request = UnsafeMutablePointer<HostRequest>(bitPattern: UInt(bootPage.pointee.requests) &+ offset)
    else { return -1 }
    fill(&request.pointee)
    command(.request)
    return Int(request.pointee.result)
  }
}

/// What lies outside of this guest.
public let host = Host()

func command(_ command: Command, _ argument: UInt32 = 0) {
  port_write32(UInt16(LAPWING_COMMAND_PORT), command.rawValue | argument << 8)
}
