import APIC
import KVM
public import MachineState
import VMM

/// A machine whose every vCPU waits: why each does, and what could end that.
public struct IdleReport: Hashable, Sendable {
  /// Why each vCPU waits, in words.
  public var vcpus: [String]
  /// What of the machine itself will wake one, such as a timer that runs.
  public var sources: [String]
  /// What only somebody outside of the machine can use to wake one, such as an irqfd.
  public var externalSources: [String]
  /// Sources that are there and lead nowhere, each with what stops it.
  public var stopped: [String]

  /// Looks at a machine at one moment.
  ///
  /// - Parameters:
  ///   - state: the machine's state.
  ///   - ownSources: further sources that will wake one by themselves, such as injections that are to come.
  ///   - externalSources: further sources that the state does not show, such as a serial port that takes input.
  /// - Returns: nil where a vCPU runs, or goes on as soon as it is let.
  public init?(_ state: MachineState, ownSources: [String] = [], externalSources: [String] = []) {
    let pic = state.pics.flatMap { PICRequest($0) }
    var words: [String] = []
    for (index, vcpu) in state.vcpus.enumerated() {
      let delivery = DeliveryReport(vcpu, pic: vcpu.listensToPIC ? pic : nil)
      guard let reason = Self.reason(vcpu, delivery) else { return nil }
      words.append("vCPU \(index) \(reason)")
    }
    vcpus = words
    sources = ownSources
    stopped = []
    self.externalSources = externalSources
    for (index, vcpu) in state.vcpus.enumerated() { addTimer(of: vcpu, index, state) }
    addPIT(state)
    addEvents(state)
    for (index, vcpu) in state.vcpus.enumerated() { addHypervisor(vcpu, index) }
  }

  /// Whether nothing whatever can wake it.
  public var isForGood: Bool { sources.isEmpty && externalSources.isEmpty }

  /// All of it for a person, in a sentence.
  public var text: String {
    let end =
      isForGood
      ? "and nothing can wake one"
      : sources.isEmpty ? "and only from outside can one be woken" : "until one is woken"
    let parts = vcpus + stopped + (sources + externalSources).map { "\($0) could come" }
    return "every vCPU waits, \(end): " + parts.joined(separator: "; ")
  }

  /// Why a vCPU waits; nil where it does not.
  private static func reason(_ vcpu: VCPUState, _ delivery: DeliveryReport) -> String? {
    guard delivery.next == nil else { return nil }
    switch vcpu.mpState {
    case .uninitialized: return "waits for INIT and SIPI"
    case .initReceived, .apResetHold: return "waits for SIPI"
    case .runnable, .sipiReceived: return nil
    case .halted:
      let held = delivery.waiting.first.map { event in
        ", with \(event.text), held back: " + event.obstacles.map(\.text).joined(separator: ", ")
      }
      return "is halted with interrupts \(vcpu.allowsInterrupts ? "on" : "off")\(held ?? "")"
    }
  }

  /// Why an interrupt through `vector` would not wake a vCPU; nil where it would.
  private static func obstacle(to vector: Vector, of vcpu: VCPUState) -> String? {
    guard vcpu.mpState == .halted else { return "the vCPU has not been started" }
    guard vcpu.allowsInterrupts else { return "RFLAGS.IF is 0" }
    let page = vcpu.localAPIC
    let priority = Priority.processorPriority(taskPriority: page.taskPriority, highestInService: page.inService.highest)
    return priority.allows(vector) ? nil : "its class is not above the processor priority, \(priority)"
  }

  private mutating func addTimer(of vcpu: VCPUState, _ index: Int, _ state: MachineState) {
    let timer = TimerReport(vcpu, busCycle: state.apicBusCycle)
    guard timer.phase != .stopped else { return }
    let name = "the timer of vCPU \(index), vector \(hex(timer.vector, digits: 2))"
    let obstacle =
      timer.isMasked ? "it is masked" : Self.obstacle(to: Vector(rawValue: timer.vector), of: vcpu)
    if let obstacle { stopped.append("\(name), does not wake it: \(obstacle)") } else { sources.append(name) }
  }

  private mutating func addPIT(_ state: MachineState) {
    guard let chip = state.pit, let channel = chip.channels.first else { return }
    let counter = PITChannelInspection(0, channel, now: state.time.hostMonotonic, isReplaced: chip.isReplacedByHPET)
    guard counter.remaining != nil else { return }
    var ends: [String] = []
    for way in LineReport.all(of: state, Processors(state)).first(where: { $0.gsi == 0 })?.ways ?? [] {
      let takers = way.recipients?.targets.filter(\.accepts) ?? []
      // The entry has passed: what stops it now is the vCPU.
      let open = takers.filter { state.vcpus[$0.vcpu].mpState == .halted && state.vcpus[$0.vcpu].allowsInterrupts }
      guard open.isEmpty else {
        sources.append("the PIT, through the \(way.through.words)")
        return
      }
      ends.append("\(way.through.words): " + (takers.isEmpty ? way.end : "its vCPU takes no interrupts"))
    }
    stopped.append("the PIT counts and wakes none (" + ends.joined(separator: "; ") + ")")
  }

  private mutating func addEvents(_ state: MachineState) {
    for (index, irqfd) in state.irqfds.enumerated() where !irqfd.isOwnedByVMM {
      externalSources.append("irqfd \(index) of GSI \(irqfd.gsi)")
    }
  }

  /// Interrupts that KVM raises by itself, of whose timing no call tells.
  private mutating func addHypervisor(_ vcpu: VCPUState, _ index: Int) {
    if vcpu.msr(MSR.asyncPF) ?? 0 & 1 == 1 { sources.append("an asynchronous page fault of vCPU \(index)") }
    let hasSynIC = vcpu.settings.capabilities.contains {
      $0.capability == .hypervSynIC || $0.capability == .hypervSynIC2
    }
    if hasSynIC { sources.append("a timer of Hyper-V's of vCPU \(index)") }
  }
}
