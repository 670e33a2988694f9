public import APIC
public import KVM
public import ReferenceModel

/// The reference model as a machine: what a kernel is compared with.
public class ModelSubject: InterruptSubject {
  /// The model.
  public package(set) var machine: ReferenceMachine
  /// When the step is done, between which two moments of the other side's clock.
  public var moment = Moment(0)
  /// Whether the vCPU that runs looks for interrupts though nothing happened to it.
  var hasStrayEvent = false

  /// A machine after power-on.
  public init(_ configuration: ReferenceMachine.Configuration) { machine = ReferenceMachine(configuration) }

  /// How many vCPUs it has.
  public var vcpuCount: Int { machine.localAPICs.count }

  /// Does a step of a history.
  public func perform(_ step: Step) throws(KVMError) -> StepAnswer { try step.kind.perform(step.arguments, self) }

  /// A device writes a message.
  public func send(_ message: MSIMessage) -> DeliveryAnswer { machine.send(message) }

  /// A line's level.
  public func setLine(_ gsi: UInt32, to level: Bool, tellsStatus: Bool) -> DeliveryAnswer? {
    let answer = machine.setLine(gsi, to: level, tellsStatus: tellsStatus)
    return tellsStatus ? answer : nil
  }

  /// A write to the irqfd of a GSI: its line rises and falls, or its message is sent (`irqfd_inject`).
  public func fire(_ gsi: UInt32) {
    _ = machine.setLine(gsi, to: true, tellsStatus: false)
    _ = machine.setLine(gsi, to: false, tellsStatus: false)
  }

  /// Replaces the routes.
  public func setRoutes(_ routes: [GSIRoute]) {
    var table = RouteTable()
    for route in routes {
      switch route {
      case .irqChip(let gsi, .ioapic, let pin): table.add(.ioapic(pin: Int(pin)), to: gsi)
      case .irqChip(let gsi, .picMaster, let pin): table.add(.pic(line: Int(pin)), to: gsi)
      case .irqChip(let gsi, .picSlave, let pin): table.add(.pic(line: Int(pin) + 8), to: gsi)
      case .msi(let gsi, let message): table.add(.message(message), to: gsi)
      case .hypervSINT: break
      }
    }
    machine.routes = table
  }

  /// Reads an MSR of a vCPU.
  public func readMSR(_ vcpu: Int, _ index: UInt32) -> StepAnswer {
    guard let values = machine.readMSR(vcpu, index, at: moment) else { return .refused }
    return .value(values.lowerBound, upTo: values.upperBound)
  }

  /// Writes an MSR of a vCPU.
  public func writeMSR(_ vcpu: Int, _ index: UInt32, _ value: UInt64) -> Bool {
    machine.writeMSR(vcpu, index, value, byHost: true, at: moment)
  }

  /// A local APIC's page.
  public func localAPIC(_ vcpu: Int) -> LocalAPICState { machine.localAPICState(vcpu) }

  /// Sets a local APIC's page.
  public func setLocalAPIC(_ vcpu: Int, _ state: LocalAPICState) -> Bool {
    machine.setLocalAPICState(vcpu, state, at: moment)
  }

  /// Sets the IOAPIC.
  public func setIOAPIC(_ state: IOAPICState) { takeIOAPIC(state) }

  /// Sets a PIC.
  public func setPIC(_ chip: PIC.Chip, _ state: PICState) { takePIC(chip, state) }

  /// A non-maskable interrupt from user space.
  public func signalNMI(_ vcpu: Int) { machine.signalNMI(vcpu) }

  /// What a vCPU does, after it has taken INIT and SIPI.
  public func activity(_ vcpu: Int) -> UInt64 {
    switch machine.acceptEvents(vcpu) {
    case .running: UInt64(MPState.runnable.rawValue)
    case .waitingForINIT: UInt64(MPState.uninitialized.rawValue)
    case .waitingForSIPI: UInt64(MPState.initReceived.rawValue)
    case .halted: UInt64(MPState.halted.rawValue)
    }
  }

  /// Sets what a vCPU does.
  public func setActivity(_ vcpu: Int, _ state: MPState) -> Bool {
    switch state {
    case .runnable: machine.setActivity(vcpu, .running)
    case .initReceived: machine.setActivity(vcpu, .waitingForSIPI)
    case .uninitialized: machine.setActivity(vcpu, .waitingForINIT)
    case .halted: machine.setActivity(vcpu, .halted)
    case .sipiReceived, .apResetHold: return false
    }
    return true
  }

  /// Runs a vCPU until it has taken an interrupt.
  public func takeInterrupt(_ vcpu: Int) -> Vector? {
    guard machine.acceptEvents(vcpu) == .running else { return nil }
    if machine.localAPICs[vcpu].processor.hasRestarted {
      machine.putBack(vcpu)
    } else {
      machine.returnFromHandler(vcpu)
    }
    machine.enter(vcpu)
    if hasStrayEvent { machine.wake(vcpu) }
    defer {
      machine.watchTaskPriority(vcpu)
      machine.leave(vcpu)
    }
    return machine.takeInterrupt(vcpu)
  }

  /// Has a vCPU write or read an MSR.
  public func accessMSR(_ vcpu: Int, _ index: UInt32, writing value: UInt64?) -> StepAnswer {
    guard machine.acceptEvents(vcpu) == .running, machine.localAPICs[vcpu].processor.pendingNMIs == 0 else {
      return .done
    }
    if machine.localAPICs[vcpu].processor.hasRestarted { machine.putBack(vcpu) }
    machine.enter(vcpu)
    if hasStrayEvent { machine.wake(vcpu) }
    machine.lookForInterrupts(vcpu)
    // It leaves the guest for the access, and once more to say that it is done.
    machine.watchTaskPriority(vcpu)
    machine.leave(vcpu)
    // KVM_SET_REGS makes the vCPU look for interrupts when it goes on.
    defer {
      machine.leave(vcpu)
      machine.wake(vcpu)
    }
    guard let value else {
      guard let values = machine.guestReadMSR(vcpu, index, at: moment) else { return .refused }
      return .value(values.lowerBound, upTo: values.upperBound)
    }
    return machine.guestWriteMSR(vcpu, index, value, at: moment) ? .value(value) : .refused
  }

  /// Everything that can be seen.
  public func observe(_ observation: inout VisibleState) {
    for vcpu in machine.localAPICs.indices {
      observation.vcpus[vcpu].page = machine.localAPICState(vcpu)
      observation.vcpus[vcpu].count = machine.localAPICs[vcpu].currentCount(at: moment)
      guard observation.looksInto(vcpu) else { continue }
      observation.vcpus[vcpu].base = machine.localAPICs[vcpu].base.rawValue
      observation.vcpus[vcpu].deadline = machine.localAPICs[vcpu].tscDeadline
      let pending = machine.localAPICs[vcpu].processor.pendingNMIs
      let isFlag = machine.configuration.deviations.contains(.pendingNMIsReportedAsOne)
      observation.vcpus[vcpu].nmis = isFlag ? min(1, pending) : pending
    }
    observation.ioapic = ioapic()
    observation.master = pic(.master)
    observation.slave = pic(.slave)
  }
}
