public import APIC
public import KVM
public import ReferenceModel

/// The reference model as a machine: what a kernel is compared with.
public class ModelSubject: InterruptSubject {
  /// The model.
  public package(set) var machine: ReferenceMachine
  /// When the step is done, between which two moments of the other side's clock.
  public var moment = Moment(0)
  /// In which order it does what several actors do at the same time.
  var schedule = PieceSchedule.inTurns
  /// Whether the vCPU that runs looks for interrupts though nothing happened to it.
  var hasStrayEvent = false
  /// The host takes the vCPU out behind STI, which loses the shadow (`Deviation.shadowLostAtExit`).
  var hasLostShadow = false

  /// A machine after power-on, whose vCPUs were put to where they begin (`StepGuest.prepare`).
  public init(_ configuration: ReferenceMachine.Configuration) {
    machine = ReferenceMachine(configuration)
    for vcpu in machine.localAPICs.indices { machine.putBack(vcpu) }
  }

  /// A machine as it is.
  init(_ machine: ReferenceMachine) { self.machine = machine }

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
  public func setRoutes(_ routes: [GSIRoute]) { machine.routes = RouteTable(routes) }

  /// Has actors do something at the same time.
  public func perform(concurrently actors: [[Step]]) throws(KVMError) -> [[ActorStep]] {
    try interleave(actors, fault: nil)
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
    // One that is to be woken counts as running already (`kvm_arch_vcpu_ioctl_get_mpstate`).
    case .halted where machine.localAPICs[vcpu].processor.isWokenByMessage: UInt64(MPState.runnable.rawValue)
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
  public func takeInterrupt(_ vcpu: Int) -> StepAnswer {
    _ = machine.acceptEvents(vcpu)
    if machine.localAPICs[vcpu].processor.hasRestarted, runs(vcpu) { machine.putBack(vcpu) }
    guard machine.resume(vcpu) else { return .done }
    machine.enter(vcpu)
    if hasStrayEvent { machine.wake(vcpu) }
    defer { machine.leave(vcpu) }
    guard machine.returnFromHandler(vcpu) else { return .entryRefused(Self.invalidControl) }
    return takeNext(vcpu)
  }

  /// Whether a vCPU runs or is halted.
  private func runs(_ vcpu: Int) -> Bool {
    let activity = machine.localAPICs[vcpu].processor.activity
    return activity == .running || activity == .halted
  }

  /// What a vCPU takes next that has interrupts on.
  func takeNext(_ vcpu: Int) -> StepAnswer {
    let processor = machine.localAPICs[vcpu].processor
    let vector = machine.takeInterrupt(vcpu)
    let looks = processor.hasEvent || processor.pendingNMIs > 0
    if looks { machine.watchTaskPriority(vcpu) }
    machine.setThreshold(vcpu, hasEvent: looks)
    if machine.isEntryRefused(vcpu) {
      machine.keepEvent(vcpu, vector, before: processor)
      return .entryRefused(Self.invalidControl)
    }
    return vector.map { .value(UInt64($0.rawValue)) } ?? .done
  }

  /// The VM-instruction error of an entry with an invalid control field (SDM volume 3C, section 32.4).
  static let invalidControl: UInt64 = 7

  /// Has a vCPU write or read an MSR.
  public func accessMSR(_ vcpu: Int, _ index: UInt32, writing value: UInt64?) -> StepAnswer {
    execute(vcpu) { machine, moment in
      guard let value else {
        guard let values = machine.guestReadMSR(vcpu, index, at: moment) else { return .refused }
        return .value(values.lowerBound, upTo: values.upperBound)
      }
      return machine.guestWriteMSR(vcpu, index, value, at: moment) ? .value(value) : .refused
    }
  }

  /// Has a vCPU reach interrupt controllers by memory or ports.
  public func access(_ vcpu: Int, _ access: GuestAccess) -> StepAnswer {
    execute(vcpu) { machine, moment in
      if let value = access.value {
        switch access.space {
        case .localAPIC:
          machine.writePage(vcpu, value, at: UInt64(access.place), width: access.width, at: moment)
        case .ioapic: machine.writeIOAPIC(value, at: UInt64(access.place), width: access.width)
        case .ports: machine.writePorts(value, to: access.place, width: access.width)
        }
        return .done
      }
      let values =
        switch access.space {
        case .localAPIC: machine.readPage(vcpu, at: UInt64(access.place), width: access.width, at: moment)
        case .ioapic: Self.only(machine.readIOAPIC(at: UInt64(access.place), width: access.width))
        case .ports: Self.only(machine.readPorts(access.place, width: access.width))
        }
      return .value(values.lowerBound, upTo: values.upperBound)
    }
  }

  private static func only(_ value: UInt64) -> ClosedRange<UInt64> { value...value }

  /// Has a vCPU execute an instruction with interrupts off.
  public func runWithInterruptsOff(_ vcpu: Int) -> StepAnswer { execute(vcpu) { _, _ in .done } }

  /// Has a vCPU halt, or execute another instruction behind STI.
  public func halt(_ vcpu: Int, _ form: HaltForm) -> StepAnswer { haltOrGoOn(vcpu, form) }

  /// Whether a vCPU runs and no NMI waits, nor anything that was not injected. One that is to be woken is.
  func executes(_ vcpu: Int) -> Bool {
    _ = machine.acceptEvents(vcpu)
    let processor = machine.localAPICs[vcpu].processor
    guard processor.activity == .running || processor.activity == .halted && processor.isWokenByMessage,
      processor.pendingNMIs == 0, processor.queued == nil
    else { return false }
    return machine.resume(vcpu)
  }

  /// Has a vCPU execute an instruction with interrupts off, where it runs and no NMI waits, nor anything that was not injected.
  private func execute(
    _ vcpu: Int, _ instruction: (inout ReferenceMachine, Moment) -> StepAnswer
  ) -> StepAnswer {
    guard executes(vcpu) else { return .done }
    if machine.localAPICs[vcpu].processor.hasRestarted { machine.putBack(vcpu) }
    machine.enter(vcpu)
    if hasStrayEvent { machine.wake(vcpu) }
    machine.lookForInterrupts(vcpu)
    // It leaves the guest for the access, and once more to say that it is done.
    machine.watchTaskPriority(vcpu)
    machine.leave(vcpu)
    machine.setThreshold(vcpu, hasEvent: true)
    // KVM_SET_REGS makes the vCPU look for interrupts when it goes on.
    defer {
      machine.leave(vcpu)
      machine.wake(vcpu)
    }
    if machine.isEntryRefused(vcpu) { return .entryRefused(Self.invalidControl) }
    machine.forgetEvent(vcpu)
    let answer = instruction(&machine, moment)
    if machine.localAPICs[vcpu].processor.hasEvent {
      machine.watchTaskPriority(vcpu)
      machine.setThreshold(vcpu, hasEvent: true)
    }
    return machine.isEntryRefused(vcpu) ? .entryRefused(Self.invalidControl) : answer
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
