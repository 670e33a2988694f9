import KVM

/// QEMU's hyperv-testdev: a write of 32 bits to port 0x3000 makes, raises or takes away what kvm-unit-tests then call and
/// are interrupted by.
final class HyperVTestDevice: BusDevice {
  static let ports: Range<UInt64> = 0x3000..<0x3004

  /// Bits 23:16 of what is written. Bits 7:0 are the source, 15:8 the vCPU, 31:24 the connection.
  private enum Order: UInt8 {
    case createLine = 1
    case removeLine
    case raiseLine
    case connectMessages
    case disconnectMessages
    case connectEvents
    case disconnectEvents
  }

  private let connections: HyperVConnections
  private let vcpus: Int
  private let stop: StopSwitch

  init(_ connections: HyperVConnections, vcpus: Int, stop: StopSwitch) {
    self.connections = connections
    self.vcpus = vcpus
    self.stop = stop
  }

  func read(_ access: BusAccess) -> UInt64 { .max }

  func write(_ value: UInt64, _ access: BusAccess) {
    guard access.offset == 0, access.width == 4 else { return }
    let fields = (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    let source = SynICPages.Source(vcpu: Int(fields[1]), source: Int(fields[0]))
    guard let order = Order(rawValue: fields[2]), source.vcpu < vcpus, source.source < SynICPages.sourceCount else {
      return
    }
    do throws(KVMError) {
      try carryOut(order, source, connection: UInt32(fields[3]))
    } catch {
      stop.stop(.runFailed(error, vcpu: access.vcpu))
    }
  }

  private func carryOut(_ order: Order, _ source: SynICPages.Source, connection: UInt32) throws(KVMError) {
    switch order {
    case .createLine: try connections.addLine(source)
    // Its route stays, and its source is masked: the guest does that before.
    case .removeLine: break
    case .raiseLine: connections.raise(source)
    case .connectMessages: try connections.connect(connection, .messages, to: source)
    case .connectEvents: try connections.connect(connection, .events, to: source)
    case .disconnectMessages, .disconnectEvents: connections.disconnect(connection)
    }
  }
}
