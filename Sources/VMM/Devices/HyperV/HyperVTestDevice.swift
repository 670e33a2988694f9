import KVM
import Synchronization
import SystemPackage

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

/// The GSIs through which this machine raises sources of vCPUs' synthetic interrupt controllers (KVM API,
/// KVM_IRQ_ROUTING_HV_SINT). A route is made when its source is first named, and stays.
final class SINTLines: Sendable {
  /// Above what guests route messages to.
  private static let firstGSI: UInt32 = 0x800

  private let interrupts: InterruptController
  private let vm: VirtualMachine
  private struct Lines {
    var all: Set<SynICPages.Source> = []
    /// The eventfds that KVM wants for its word of an end of message; nobody writes to them.
    var watched: [SynICPages.Source: EventDescriptor] = [:]
  }

  private let lines = Mutex(Lines())
  /// Signalled at an end of message of a source that is watched.
  let ended: EventDescriptor

  init(vm: VirtualMachine, interrupts: InterruptController) throws(KVMError) {
    self.vm = vm
    self.interrupts = interrupts
    ended = try EventDescriptor()
  }

  /// Sees to it that a source has a GSI.
  ///
  /// - Parameter isWatched: whether `ended` is to be signalled.
  /// - Throws: `KVMError` for a vCPU whose sources have no numbers here, beyond the 128th, and for what KVM refuses.
  func add(_ source: SynICPages.Source, isWatched: Bool = false) throws(KVMError) {
    let gsi = Self.gsi(of: source)
    guard gsi < InterruptController.gsiLimit else { throw KVMError(call: .setGSIRouting, errno: .invalidArgument) }
    try lines.withLock { lines throws(KVMError) in
      if !lines.all.contains(source) {
        try interrupts.route(gsi, toSource: UInt32(source.source), ofVCPU: UInt32(source.vcpu))
        lines.all.insert(source)
      }
      guard isWatched, lines.watched[source] == nil else { return }
      let event = try EventDescriptor()
      try vm.assignIRQFD(event, gsi: gsi, resample: ended)
      lines.watched[source] = event
    }
  }

  /// Interrupts the source's vCPU. One that the guest has masked, and one that was never added, interrupts nobody.
  func raise(_ source: SynICPages.Source) {
    guard lines.withLock({ $0.all.contains(source) }) else { return }
    // KVM says EINVAL or ENOENT of a source that the guest has not set up: what a processor would not take either.
    _ = try? interrupts.setLine(Self.gsi(of: source), to: true)
  }

  private static func gsi(of source: SynICPages.Source) -> UInt32 {
    firstGSI + UInt32(source.vcpu * SynICPages.sourceCount + source.source)
  }
}
