import KVM
import VMM

/// Holds the events of a machine back while its state is taken, so that none is lost or seen twice.
///
/// A write to an irqfd's event may raise its interrupt later, on a kernel thread (`irqfd_inject`). To end the irqfd waits
/// for that; from then on writes stay in the event's counter. So they are ended before any chip is read; what their
/// counters hold at the end is not yet taken; then they are assigned anew.
///
/// The end of the last resampling irqfd of a line would lower the line (`irqfd_resampler_shutdown`). So each such line is
/// given one more meanwhile, which nobody writes to.
///
/// Where KVM refuses something the machine keeps its irqfds: what was ended is assigned anew, before the error is thrown.
struct EventCapture {
  /// How irqfds are assigned and ended.
  struct Calls {
    var assign: (IRQFD) throws(KVMError) -> Void
    var end: (IRQFD) throws(KVMError) -> Void

    /// By the machine's own calls.
    init(_ vm: VirtualMachine) {
      assign = { irqfd throws(KVMError) in
        try vm.assignIRQFD(irqfd.event, gsi: irqfd.gsi, resample: irqfd.resample)
      }
      end = { irqfd throws(KVMError) in try vm.deassignIRQFD(irqfd.event, gsi: irqfd.gsi) }
    }
  }

  private let machine: Machine
  private let calls: Calls
  private var held: [IRQFD] = []
  private var guards: [IRQFD] = []

  /// Ends the irqfds.
  ///
  /// - Throws: `KVMError` where one cannot be ended; all are assigned again then.
  init(holding machine: Machine, calls: Calls? = nil) throws(KVMError) {
    self.machine = machine
    self.calls = calls ?? Calls(machine.vm)
    do throws(KVMError) {
      try hold(machine.vm.irqfds)
    } catch {
      _ = try? restore()
      throw error
    }
  }

  private mutating func hold(_ irqfds: [IRQFD]) throws(KVMError) {
    for gsi in Set(irqfds.lazy.filter { $0.resample != nil }.map(\.gsi)).sorted() {
      let irqfd = IRQFD(event: try EventDescriptor(), resample: try EventDescriptor(), gsi: gsi)
      try calls.assign(irqfd)
      guards.append(irqfd)
    }
    for irqfd in irqfds {
      try calls.end(irqfd)
      held.append(irqfd)
    }
  }

  /// Assigns them anew, and says what waits in each event.
  ///
  /// - Throws: `KVMError` where one cannot be; all others are.
  func release() throws(KVMError) -> (irqfds: [IRQFDState], ioEvents: [IOEventState]) {
    let owned = machine.interrupts.machineIRQFDs
    let shared = SharedEvents(held.map(\.event) + machine.vm.ioEvents.map(\.event))
    var states: [IRQFDState] = []
    // A device's own state says what it has assigned, and it stands still: nothing waits in its events.
    for (irqfd, pending) in zip(held, try restore()) where !machine.interrupts.belongsToDevice(irqfd.event) {
      var state = IRQFDState(gsi: irqfd.gsi)
      state.isOwnedByVMM = owned[irqfd.gsi] === irqfd.event
      state.pending = pending
      state.event = shared.number(of: irqfd.event)
      if let resample = irqfd.resample { state.resamplePending = try peek(resample) }
      states.append(state)
    }
    var ioEvents: [IOEventState] = []
    // What a shared event holds is told once.
    var told = Set(states.compactMap(\.event))
    for event in machine.vm.ioEvents where !machine.interrupts.belongsToDevice(event.event) {
      var state = IOEventState(address: event.address)
      state.length = event.length
      state.match = event.match
      state.event = shared.number(of: event.event)
      if state.event.map({ told.insert($0).inserted }) ?? true { state.pending = try peek(event.event) }
      ioEvents.append(state)
    }
    return (states, ioEvents)
  }

  /// Assigns all that were ended, and ends the guards, whatever fails on the way; the first failure is thrown at the end.
  ///
  /// - Returns: what waited in the events.
  private func restore() throws(KVMError) -> [UInt64] {
    var pending: [UInt64] = []
    var failure: KVMError?
    for irqfd in held {
      do throws(KVMError) {
        pending.append(try reassign(irqfd))
      } catch {
        failure = failure ?? error
      }
    }
    for irqfd in guards {
      do throws(KVMError) {
        try calls.end(irqfd)
      } catch {
        failure = failure ?? error
      }
    }
    if let failure { throw failure }
    return pending
  }

  private func reassign(_ irqfd: IRQFD) throws(KVMError) -> UInt64 {
    let pending = try irqfd.event.read()
    // What was taken out goes back whether KVM listens then or not.
    defer { if pending > 0 { try? irqfd.event.write(pending) } }
    try calls.assign(irqfd)
    // KVM raises the interrupt for what was written since the read, and leaves the counter (`kvm_irqfd_assign`).
    _ = try irqfd.event.read()
    return pending
  }

  /// What an event's counter holds, which it holds afterwards too.
  private func peek(_ event: EventDescriptor) throws(KVMError) -> UInt64 {
    let pending = try event.read()
    if pending > 0 { try event.write(pending) }
    return pending
  }
}

/// Numbers the events that more than one irqfd or ioeventfd of a machine has, so that they have the same one again after a
/// restore.
struct SharedEvents {
  private let numbers: [ObjectIdentifier: UInt32]

  /// - Parameter events: of all irqfds and ioeventfds; they are numbered in the order in which they come.
  init(_ events: [EventDescriptor]) {
    let counts = Dictionary(grouping: events, by: ObjectIdentifier.init)
    var numbers: [ObjectIdentifier: UInt32] = [:]
    for event in events.map(ObjectIdentifier.init) where numbers[event] == nil && counts[event, default: []].count > 1 {
      numbers[event] = UInt32(numbers.count)
    }
    self.numbers = numbers
  }

  /// The event's number; nil for one that nothing else has.
  func number(of event: EventDescriptor) -> UInt32? { numbers[ObjectIdentifier(event)] }
}
