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
struct EventCapture {
  private let machine: Machine
  private let irqfds: [IRQFD]
  private let guards: [IRQFD]

  /// Ends the irqfds.
  init(holding machine: Machine) throws(KVMError) {
    self.machine = machine
    irqfds = machine.vm.irqfds
    var guards: [IRQFD] = []
    for gsi in Set(irqfds.lazy.filter { $0.resample != nil }.map(\.gsi)) {
      let (event, resample) = (try EventDescriptor(), try EventDescriptor())
      try machine.vm.assignIRQFD(event, gsi: gsi, resample: resample)
      guards.append(IRQFD(event: event, resample: resample, gsi: gsi))
    }
    self.guards = guards
    for irqfd in irqfds { try machine.vm.deassignIRQFD(irqfd.event, gsi: irqfd.gsi) }
  }

  /// Assigns them anew, and says what waits in each event.
  func release() throws(KVMError) -> (irqfds: [IRQFDState], ioEvents: [IOEventState]) {
    let owned = machine.interrupts.machineIRQFDs
    let shared = SharedEvents(irqfds.map(\.event) + machine.vm.ioEvents.map(\.event))
    var states: [IRQFDState] = []
    for irqfd in irqfds {
      var state = IRQFDState(gsi: irqfd.gsi)
      state.isOwnedByVMM = owned[irqfd.gsi] === irqfd.event
      state.pending = try reassign(irqfd)
      state.event = shared.number(of: irqfd.event)
      if let resample = irqfd.resample { state.resamplePending = try peek(resample) }
      states.append(state)
    }
    for irqfd in guards { try machine.vm.deassignIRQFD(irqfd.event, gsi: irqfd.gsi) }
    var ioEvents: [IOEventState] = []
    // What a shared event holds is told once.
    var told = Set(states.compactMap(\.event))
    for event in machine.vm.ioEvents {
      var state = IOEventState(address: event.address)
      state.length = event.length
      state.match = event.match
      state.event = shared.number(of: event.event)
      if state.event.map({ told.insert($0).inserted }) ?? true { state.pending = try peek(event.event) }
      ioEvents.append(state)
    }
    return (states, ioEvents)
  }

  private func reassign(_ irqfd: IRQFD) throws(KVMError) -> UInt64 {
    let pending = try irqfd.event.read()
    try machine.vm.assignIRQFD(irqfd.event, gsi: irqfd.gsi, resample: irqfd.resample)
    // KVM raises the interrupt for what was written since the read, and leaves the counter (`kvm_irqfd_assign`).
    _ = try irqfd.event.read()
    if pending > 0 { try irqfd.event.write(pending) }
    return pending
  }

  /// What an event's counter holds, which it holds afterwards too.
  private func peek(_ event: EventDescriptor) throws(KVMError) -> UInt64 {
    let pending = try event.read()
    if pending > 0 { try event.write(pending) }
    return pending
  }
}
