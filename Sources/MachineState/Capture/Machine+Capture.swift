import APIC
import KVM
import Synchronization
public import VMM

extension Machine {
  /// Takes the state of the machine, apart from its memory. A machine that runs is paused meanwhile.
  ///
  /// What hypercalls and the test device connected to Hyper-V's interrupt controller is not in it.
  ///
  /// - Parameter guest: the guest's name.
  /// - Throws: `MachineError`: `pause` where a vCPU does not come out, `kvm` for what KVM refuses.
  public func capture(guest: String = "") throws(MachineError) -> MachineState {
    try atOneMoment(guest).value
  }

  /// Takes state and memory at one moment. A machine that runs is paused meanwhile, and goes on.
  ///
  /// Only the pages that the guest has touched are copied.
  ///
  /// - Parameter guest: the guest's name.
  /// - Throws: `MachineError` as `capture` does, and `configuration` for a machine with Hyper-V's interrupt controller.
  public func snapshot(guest: String = "") throws(MachineError) -> Snapshot {
    guard !configuration.hasSynIC else {
      throw .configuration(
        "the connections of Hyper-V's interrupt controller are not kept; save a machine without hv_synic")
    }
    let copy = GuestMemoryCopy(roomFor: memory)
    // State first: KVM_GET_MP_STATE and a kvmclock that is read may write to memory, nothing of memory to state.
    let (state, pause) = try atOneMoment(guest) { copy.take(memory) }
    return Snapshot(state: state, memory: MemoryImage(copy, size: memory.size), pause: pause)
  }

  /// Takes the state, and whatever else belongs to that moment, on one thread at a time: the irqfds are gone meanwhile, and a
  /// second thread would find none.
  private func atOneMoment(
    _ guest: String, _ also: () -> Void = {}
  ) throws(MachineError) -> (value: MachineState, pause: Duration?) {
    try captures.withLock { _ throws(MachineError) in
      try whilePaused { () throws(MachineError) in
        let state = try MachineCapture(machine: self).state(guest: guest)
        also()
        return state
      } orThrow: {
        $0
      }
    }
  }
}

/// A machine at one moment.
public struct Snapshot: Sendable {
  /// Everything but memory.
  public var state: MachineState
  /// Memory.
  public var memory: MemoryImage
  /// How long the guest stood still for it; nil where it did anyway.
  public var pause: Duration?

  /// A state with its memory.
  public init(state: MachineState, memory: MemoryImage, pause: Duration? = nil) {
    self.state = state
    self.memory = memory
    self.pause = pause
  }
}

/// Takes the state of a machine that is paused.
struct MachineCapture {
  let machine: Machine

  /// How often it is taken again because the PIT ticked meanwhile.
  private static let patience = 8

  /// What is asked of the vCPUs of the machine that was captured last.
  private static let lastPlan = Mutex<(vm: WeakMachine, plan: VCPUState.Plan)?>(nil)

  private struct WeakMachine: Sendable {
    weak var vm: VirtualMachine?
  }

  func state(guest: String) throws(MachineError) -> MachineState {
    do throws(KVMError) {
      return try captured(guest)
    } catch {
      throw .kvm(error)
    }
  }

  /// The order: first the events are held back, then the vCPUs are read, of which the first call may take an INIT or a
  /// SIPI, then the chips. The PIT alone goes on by itself meanwhile, and no call says when it ticks next: where a tick has
  /// changed what was read already, all is read again.
  ///
  /// The host's TSC is read after the local APICs: so after a restore a timer is late by the time in between, some
  /// microseconds, and never early.
  private func captured(_ guest: String) throws(KVMError) -> MachineState {
    let vm = machine.vm
    let plan = try plan()
    var state = MachineState()
    state.guest = guest
    state.configuration = machine.configuration
    state.settings = vm.settings
    state.host = HostIdentity.current
    let events = try EventCapture(holding: machine)
    // Before the vCPUs: what a line of it sends meanwhile is in a local APIC then and sent again after a restore, which
    // merges; the other way round it would be in neither.
    state.splitIOAPIC = machine.splitIOAPIC
    do throws(KVMError) {
      try readVCPUsAndChips(plan, into: &state)
    } catch {
      // The machine goes on, with its irqfds.
      _ = try? events.release()
      throw error
    }
    state.devices = machine.deviceStates()
    (state.irqfds, state.ioEvents) = try events.release()
    state.captured = HostClocks.realtime
    return state
  }

  private func readVCPUsAndChips(_ plan: VCPUState.Plan, into state: inout MachineState) throws(KVMError) {
    let vm = machine.vm
    for _ in 0..<Self.patience {
      state.vcpus = []
      for index in machine.vcpus.indices {
        state.vcpus.append(try VCPUCapture(machine: machine, index: index, plan: plan).state())
      }
      state.time.hostTSC = hostTSC()
      state.time.clock = try vm.clock()
      if state.settings.hasIRQChip {
        state.pics = MachineState.PICPair(master: try vm.pic(.master), slave: try vm.pic(.slave))
        state.ioapic = try vm.ioapic()
      }
      state.pit = state.settings.pit == nil ? nil : try vm.pit()
      state.time.hostMonotonic = HostClocks.monotonic
      guard state.pit?.ticks ?? false, try hasChanged(since: state) else { break }
    }
  }

  /// Whether an interrupt has come to a chip or to a local APIC since the state was read.
  private func hasChanged(since state: MachineState) throws(KVMError) -> Bool {
    let vm = machine.vm
    for (vcpu, saved) in zip(machine.vcpus, state.vcpus) {
      if try vcpu.localAPIC().interruptRequest != saved.localAPIC.interruptRequest { return true }
    }
    guard state.settings.hasIRQChip else { return false }
    let pics = MachineState.PICPair(master: try vm.pic(.master), slave: try vm.pic(.slave))
    let ioapic = try vm.ioapic()
    return pics != state.pics || ioapic != state.ioapic
  }

  private func plan() throws(KVMError) -> VCPUState.Plan {
    let last = Self.lastPlan.withLock { last in last.flatMap { $0.vm.vm === machine.vm ? $0.plan : nil } }
    if let last { return last }
    let plan = try VCPUState.Plan(machine.vm, machine.vcpus[0])
    Self.lastPlan.withLock { $0 = (WeakMachine(vm: machine.vm), plan) }
    return plan
  }
}

extension PITState {
  /// Whether counter 0 may interrupt by itself: it was given a count, in a mode that needs no trigger.
  fileprivate var ticks: Bool { channel0.count > 0 && channel0.mode <= 4 }
}
