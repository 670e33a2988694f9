public import APIC
public import Evidence
import KVM
import Support
public import VMM

/// Where a scenario is told: a machine that runs the agent, and what the scenario may do with it.
///
/// It is used on the one thread that tells the scenario.
public final class TestContext {
  /// The machine, another one after each hop.
  public internal(set) var machine: Machine
  /// The case's APIC mode; a scenario that switches it sets this too.
  public var mode: APICMode
  /// Whether the hardware carries out what a guest does with its local APIC's registers (APICv, AVIC).
  let hasAPICv: Bool
  /// What is done to the scenario to see that it can fail.
  let sabotage: SabotageKind?
  /// Whether the stimulus is withheld.
  var isSabotaged: Bool { sabotage == .stimulus }
  /// Whether the scenario has come to its stimulus.
  public private(set) var hasReachedStimulus = false
  private let fullPatience: Duration
  private let sabotagedPatience: Duration
  /// How long anything may take to come about. Where the stimulus was withheld there is little to wait for.
  var patience: Duration { isSabotaged && hasReachedStimulus ? sabotagedPatience : fullPatience }
  /// What the scenario measures, to be shown with its verdict.
  public internal(set) var figures: [(name: String, value: String)] = []
  /// What gathers the evidence.
  var recorder: Recorder?
  /// Called around the stimulus, so that evidence is of it alone.
  var onStimulus: (StimulusMoment) throws -> Void = { _ in }

  /// Before and after what a scenario is about.
  enum StimulusMoment {
    case before
    case after
  }

  /// The vCPUs' statistics, opened before they run: a vCPU in the guest lets nobody open them.
  var statistics: [StatisticsFile]
  /// The machine's threads, from its start to its end.
  var running: RunningMachine?
  /// How often the scenario has gone on on another machine, and how long its guests stood still for that.
  var hops: [Duration] = []
  /// What the machine's owner does itself, on every machine of the scenario.
  private(set) var hooks = MachineHooks()
  /// What ends the case from outside; it is told of every machine.
  private(set) var control: CaseControl?
  /// Gives a machine that was made anew what no state has.
  private(set) var complete: (VirtualMachine) throws(KVMError) -> Void = { _ in }

  /// A test on a machine that does not run yet.
  init(
    machine: Machine, mode: APICMode, hasAPICv: Bool, sabotage: SabotageKind?, patience: Duration,
    sabotagedPatience: Duration
  ) throws(KVMError) {
    statistics = try Self.openStatistics(of: machine)
    self.machine = machine
    self.mode = mode
    self.hasAPICv = hasAPICv
    self.sabotage = sabotage
    fullPatience = patience
    self.sabotagedPatience = sabotagedPatience
  }

  /// The statistics of a machine's vCPUs, by index.
  static func openStatistics(of machine: Machine) throws(KVMError) -> [StatisticsFile] {
    var statistics: [StatisticsFile] = []
    for vcpu in machine.vcpus { statistics.append(try vcpu.openStatistics()) }
    return statistics
  }

  /// Starts the machine.
  ///
  /// - Parameters:
  ///   - control: what ends the case from outside.
  ///   - hooks: what the machine was built with.
  ///   - complete: gives a machine that a hop makes what no state has.
  func start(
    control: CaseControl, hooks: MachineHooks, complete: @escaping (VirtualMachine) throws(KVMError) -> Void
  ) throws(MachineError) {
    self.control = control
    self.hooks = hooks
    self.complete = complete
    running = try machine.start()
    control.attach(machine)
  }

  /// Ends the machine.
  func finish() {
    control?.attach(nil)
    _ = running.take()?.finish()
  }

  /// The kernel's ids of the threads that run the machine, by vCPU; none where it does not run.
  var threadIDs: [Int32] { running?.threadIDs ?? [] }

  /// A vCPU, by its index.
  public subscript(vcpu index: Int) -> AgentVCPU { AgentVCPU(index: index, test: self) }

  /// The vCPUs, by index.
  public var vcpus: [AgentVCPU] { machine.vcpus.indices.map { self[vcpu: $0] } }

  /// What the scenario is about: the interrupt that is sent, the state that is set. Sabotage withholds it, and then the
  /// scenario must fail.
  public func stimulus(_ body: () throws -> Void) throws {
    hasReachedStimulus = true
    try onStimulus(.before)
    if !isSabotaged { try body() }
  }

  /// Shows a figure with the verdict.
  public func note(_ name: String, _ value: some CustomStringConvertible) {
    figures.append((name, value.description))
  }
}

/// What a scenario may ask of the evidence that is gathered of it.
extension TestContext {
  /// The kvm events of this machine since its start; nil where none can be recorded. No expectation may need them.
  public var traceEvents: [TraceEvent]? { recorder?.events() }

  /// How much a vCPU's count has grown since it was created; nil where this kernel does not keep it.
  public func count(_ name: String, of vcpu: Int) throws -> UInt64? { try statistics[vcpu].read()[name] }

  /// Tells the evidence who sends an interrupt, where that is one vCPU's to another: a processor may carry it out without KVM,
  /// whose events then show nothing of it.
  func noteSending(_ command: InterruptCommand, from sender: Int) {
    guard command.deliveryMode == .fixed, command.shorthand == .none, command.destination.mode == .physical,
      let target = machine.configuration.apicIDs.firstIndex(of: command.destination.identifier), target != sender
    else { return }
    recorder?.noteIPI(command.vector, from: sender, to: target)
  }

  /// Gathers evidence of the scenario.
  func record(with recorder: Recorder) {
    self.recorder = recorder
    onStimulus = { [unowned self, recorder] moment in
      if moment == .before { recorder.mark(machine, statistics, isStimulus: true) }
    }
  }
}
