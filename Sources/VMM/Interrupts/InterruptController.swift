public import APIC
public import KVM
import Synchronization
import SystemPackage

/// Where interrupts from outside the vCPUs enter a machine: lines, messages, and eventfds that KVM turns into either.
///
/// It owns the machine's GSI routing table, which KVM only takes whole (KVM_SET_GSI_ROUTING).
public final class InterruptController: Sendable {
  /// GSIs from which on routes are free to use: the IOAPIC's pins lie below.
  public static let firstFreeGSI = UInt32(IOAPIC.pinCount)
  /// KVM's own limit (KVM_MAX_IRQ_ROUTES), so that a guest cannot make the table grow without bound.
  static let gsiLimit: UInt32 = 4096
  /// Irqfds, and ioeventfds, that a guest may have made for it.
  static let eventLimit = 64

  struct State {
    var routes: [UInt32: [GSIRoute]] = [:]
    var irqfds: [UInt32: EventDescriptor] = [:]
  }

  let vm: VirtualMachine
  let state: Mutex<State>
  private let isSplit: Bool
  /// The IOAPIC of a split irqchip. Nothing reaches it where there is one in the kernel.
  let splitIOAPIC = Mutex(IOAPICModel())

  init(vm: VirtualMachine, irqChip: MachineConfiguration.IRQChip) {
    self.vm = vm
    isSplit = irqChip == .split
    // KVM_CREATE_IRQCHIP makes the default routes, a split irqchip none (kvm_setup_default_ and _empty_irq_routing).
    state = Mutex(State(routes: irqChip == .kernel ? Dictionary(grouping: GSIRoute.defaults, by: \.gsi) : [:]))
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
    if isSplit, gsi < Self.firstFreeGSI { return try setSplitLine(pin: Int(gsi), to: level) }
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
    try setRoutes([.msi(gsi: gsi, message)], of: gsi)
  }

  /// Replaces the routes of one GSI.
  func setRoutes(_ routes: [GSIRoute], of gsi: UInt32) throws(KVMError) {
    guard gsi < Self.gsiLimit else { throw KVMError(call: .setGSIRouting, errno: .invalidArgument) }
    try state.withLock { state throws(KVMError) in
      var table = state.routes
      table[gsi] = routes
      try vm.setGSIRouting(table.keys.sorted().flatMap { table[$0] ?? [] })
      state.routes = table
    }
  }

  /// Writes to the eventfd that interrupts through `gsi`, and assigns one first where there is none (KVM_IRQFD).
  ///
  /// - Throws: `KVMError` for a GSI of 4096 or more, where KVM refuses the assignment, or where 64 are assigned already.
  public func trigger(irqfd gsi: UInt32) throws(KVMError) {
    // KVM would assign one to a GSI that no route can have, for nothing.
    guard gsi < Self.gsiLimit else { throw KVMError(call: .irqFD, errno: .invalidArgument) }
    try state.withLock { state throws(KVMError) in try irqfd(of: gsi, &state).write(1) }
  }

  /// Lets a guest's writes of 32 bits to a port signal an eventfd and go on (KVM_IOEVENTFD).
  ///
  /// - Parameters:
  ///   - port: its number.
  ///   - gsi: the one that the eventfd interrupts through, as its irqfd; nil for an eventfd that nobody waits for.
  /// - Throws: `KVMError` for a GSI of 4096 or more, where KVM refuses either assignment, EEXIST for a port that has an
  ///   eventfd, or where the machine has 64 already.
  public func assignIOEvent(port: UInt16, irqfd gsi: UInt32?) throws(KVMError) {
    guard gsi ?? 0 < Self.gsiLimit else { throw KVMError(call: .irqFD, errno: .invalidArgument) }
    try state.withLock { state throws(KVMError) in
      guard vm.ioEvents.count < Self.eventLimit else { throw KVMError(call: .ioEventFD, errno: .tooManyOpenFiles) }
      let event = if let gsi { try irqfd(of: gsi, &state) } else { try EventDescriptor() }
      try vm.assignIOEvent(event, at: .port(port), length: 4)
    }
  }

  /// The eventfd that interrupts through `gsi`; it is assigned where there is none yet.
  private func irqfd(of gsi: UInt32, _ state: inout State) throws(KVMError) -> EventDescriptor {
    if let event = state.irqfds[gsi] { return event }
    guard state.irqfds.count < Self.eventLimit else { throw KVMError(call: .irqFD, errno: .tooManyOpenFiles) }
    let event = try EventDescriptor()
    try vm.assignIRQFD(event, gsi: gsi)
    state.irqfds[gsi] = event
    return event
  }
}
