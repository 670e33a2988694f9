public import APIC
public import KVM
import Synchronization
import SystemPackage

/// Where interrupts from outside the vCPUs enter a machine: lines, messages, and eventfds that KVM turns into either.
///
/// It owns the machine's GSI routing table and, of a split irqchip, the IOAPIC.
public final class InterruptController: Sendable {
  /// GSIs from which on routes are free to use: the IOAPIC's pins lie below.
  public static let firstFreeGSI = UInt32(IOAPIC.pinCount)
  /// KVM's own limit (KVM_MAX_IRQ_ROUTES), so that a guest cannot make the table grow without bound.
  public static let gsiLimit: UInt32 = 4096
  /// Irqfds, and ioeventfds, that a guest may have made for it.
  static let eventLimit = 64

  /// Where the chips are that lines lead to.
  enum IRQChip {
    /// All of them in the kernel.
    case kernel
    /// The local APICs in the kernel, the IOAPIC here, and no PIC.
    case split(SplitIOAPIC)
  }

  private let vm: VirtualMachine
  private let routing: RoutingTable
  let irqChip: IRQChip
  /// The eventfds that this machine writes to for its guest, by GSI.
  private let irqfds = Mutex<[UInt32: EventDescriptor]>([:])
  /// The GSIs of devices of this process, which no guest routes by itself.
  private let deviceGSIs: Range<UInt32>
  /// The eventfds of devices of this process.
  private let deviceEvents = Mutex<[EventDescriptor]>([])

  init(
    vm: VirtualMachine, irqChip: MachineConfiguration.IRQChip, deviceGSIs: Range<UInt32> = 0..<0, stop: StopSwitch
  ) {
    self.vm = vm
    self.deviceGSIs = deviceGSIs
    switch irqChip {
    case .kernel:
      // KVM_CREATE_IRQCHIP makes the default routes (`kvm_setup_default_irq_routing`).
      routing = RoutingTable(vm: vm, initial: GSIRoute.defaults)
      self.irqChip = .kernel
    case .split:
      // A split irqchip makes none (`kvm_setup_empty_irq_routing`).
      routing = RoutingTable(vm: vm, initial: [])
      self.irqChip = .split(SplitIOAPIC(vm: vm, routing: routing, stop: stop))
    }
  }

  /// Sets the level of a line: an IOAPIC pin, a PIC pin too below 16, or what a route makes of it.
  ///
  /// - Parameters:
  ///   - gsi: the line's number, from 0.
  ///   - level: whether it is asserted.
  /// - Returns: whether that reached a vCPU (KVM API, KVM_IRQ_LINE_STATUS).
  /// - Throws: `KVMError` for a GSI that KVM does not take.
  @discardableResult
  public func setLine(_ gsi: UInt32, to level: Bool) throws(KVMError) -> LineStatus {
    if case .split(let ioapic) = irqChip, gsi < Self.firstFreeGSI {
      return try ioapic.setLine(pin: Int(gsi), to: level)
    }
    return try vm.setLineStatus(gsi, level)
  }

  /// Sends a message-signalled interrupt (KVM_SIGNAL_MSI).
  ///
  /// - Throws: `KVMError` where KVM refuses it.
  @discardableResult
  public func signal(_ message: MSIMessage) throws(KVMError) -> MSIAnswer {
    try vm.signal(message)
  }

  /// Routes `gsi` to `message`, in place of what it was routed to.
  ///
  /// - Throws: `KVMError` for a GSI of 4096 or more, or a table that KVM refuses; the old table then stays.
  public func route(_ gsi: UInt32, to message: MSIMessage) throws(KVMError) {
    guard isFree(gsi) else { throw KVMError(call: .setGSIRouting, errno: .invalidArgument) }
    try routing.set([gsi: [.msi(gsi: gsi, message)]])
  }

  /// Routes `gsi` to a source of a vCPU's synthetic interrupt controller, in place of what it was routed to.
  ///
  /// - Throws: `KVMError` for a table that KVM refuses; the old one then stays.
  func route(_ gsi: UInt32, toSource source: UInt32, ofVCPU vcpu: UInt32) throws(KVMError) {
    try routing.set([gsi: [.hypervSINT(gsi: gsi, vcpu: vcpu, sint: source)]])
  }

  /// Writes to the eventfd that interrupts through `gsi`, and assigns one first where there is none (KVM_IRQFD).
  ///
  /// - Throws: `KVMError` for a GSI of 4096 or more, where KVM refuses the assignment, or where 64 are assigned already.
  public func trigger(irqfd gsi: UInt32) throws(KVMError) {
    // KVM would assign one to a GSI that no route can have, for nothing.
    guard isFree(gsi) else { throw KVMError(call: .irqFD, errno: .invalidArgument) }
    try irqfds.withLock { irqfds throws(KVMError) in try event(of: gsi, &irqfds).write(1) }
  }

  /// Lets a guest's writes of 32 bits to a port signal an eventfd and go on (KVM_IOEVENTFD).
  ///
  /// - Parameters:
  ///   - port: its number.
  ///   - gsi: the one that the eventfd interrupts through, as its irqfd; nil for an eventfd that nobody waits for.
  /// - Throws: `KVMError` for a GSI of 4096 or more, where KVM refuses either assignment, EEXIST for a port that has an
  ///   eventfd, or where the machine has 64 already. Nothing is assigned then that was not before.
  public func assignIOEvent(port: UInt16, irqfd gsi: UInt32?) throws(KVMError) {
    guard isFree(gsi ?? 0) else { throw KVMError(call: .irqFD, errno: .invalidArgument) }
    try irqfds.withLock { irqfds throws(KVMError) in
      guard vm.ioEvents.count < Self.eventLimit else { throw KVMError(call: .ioEventFD, errno: .tooManyOpenFiles) }
      let before = irqfds
      let event = if let gsi { try event(of: gsi, &irqfds) } else { try EventDescriptor() }
      do throws(KVMError) {
        try vm.assignIOEvent(event, at: .port(port), length: 4)
      } catch {
        if let gsi, before[gsi] == nil {
          try vm.deassignIRQFD(event, gsi: gsi)
          irqfds = before
        }
        throw error
      }
    }
  }

  /// Whether a guest may use a GSI as it likes.
  private func isFree(_ gsi: UInt32) -> Bool { gsi < Self.gsiLimit && !deviceGSIs.contains(gsi) }

  /// The eventfd that interrupts through `gsi`; it is assigned where there is none yet.
  private func event(
    of gsi: UInt32, _ irqfds: inout [UInt32: EventDescriptor]
  ) throws(KVMError) -> EventDescriptor {
    if let event = irqfds[gsi] { return event }
    guard irqfds.count < Self.eventLimit else { throw KVMError(call: .irqFD, errno: .tooManyOpenFiles) }
    let event = try EventDescriptor()
    try vm.assignIRQFD(event, gsi: gsi)
    irqfds[gsi] = event
    return event
  }
}

extension InterruptController {
  /// The eventfds that this machine writes to for its guest, by GSI.
  public var machineIRQFDs: [UInt32: EventDescriptor] { irqfds.withLock { $0 } }

  /// Sets the whole routing table of a machine that is made again.
  ///
  /// - Throws: `KVMError` for a table that KVM refuses.
  public func restoreRoutes(_ routes: [GSIRoute]) throws(KVMError) { try routing.replace(with: routes) }

  /// Takes an eventfd over that was assigned to a GSI.
  public func adopt(irqfd event: EventDescriptor, gsi: UInt32) { irqfds.withLock { $0[gsi] = event } }
}

/// What devices of this process use.
extension InterruptController {
  /// Routes a device's GSI to a message, or nowhere.
  ///
  /// - Throws: `KVMError` for a message that KVM refuses; the old route then stays.
  func routeDevice(_ gsi: UInt32, to message: MSIMessage?) throws(KVMError) {
    try routing.set([gsi: message.map { [.msi(gsi: gsi, $0)] } ?? []])
  }

  /// An eventfd of a device's, which interrupts through its GSI.
  ///
  /// - Throws: `KVMError` where the host has no descriptor left, or KVM refuses it; nothing is kept of it then.
  func assignDeviceEvent(_ gsi: UInt32) throws(KVMError) -> EventDescriptor {
    let event = try EventDescriptor()
    try vm.assignIRQFD(event, gsi: gsi)
    claim(event)
    return event
  }

  /// Takes an eventfd for one of a device's, whose state says what it is for.
  func claim(_ event: EventDescriptor) { deviceEvents.withLock { $0.append(event) } }

  /// Whether an eventfd is a device's: then the device's state says that it is assigned, and nothing waits in it.
  public func belongsToDevice(_ event: EventDescriptor) -> Bool {
    deviceEvents.withLock { $0.contains { $0 === event } }
  }
}

/// The GSI routing table of a machine, which KVM takes only whole (KVM API, KVM_SET_GSI_ROUTING).
final class RoutingTable: Sendable {
  private let vm: VirtualMachine
  private let table: Mutex<[UInt32: [GSIRoute]]>

  /// A table that begins with what KVM's has.
  init(vm: VirtualMachine, initial: [GSIRoute]) {
    self.vm = vm
    table = Mutex(Dictionary(grouping: initial, by: \.gsi))
  }

  /// The routes of one GSI.
  func routes(of gsi: UInt32) -> [GSIRoute] { table.withLock { $0[gsi] ?? [] } }

  /// Replaces the routes of some GSIs.
  ///
  /// - Throws: `KVMError` for a table that KVM refuses; the old one then stays.
  func set(_ changes: [UInt32: [GSIRoute]]) throws(KVMError) {
    try table.withLock { table throws(KVMError) in
      let next = table.merging(changes) { $1 }
      try vm.setGSIRouting(next.keys.sorted().flatMap { next[$0] ?? [] })
      table = next
    }
  }

  /// Replaces all of it.
  ///
  /// - Throws: `KVMError` for a table that KVM refuses; the old one then stays.
  func replace(with routes: [GSIRoute]) throws(KVMError) {
    try table.withLock { table throws(KVMError) in
      try vm.setGSIRouting(routes)
      table = Dictionary(grouping: routes, by: \.gsi)
    }
  }
}
