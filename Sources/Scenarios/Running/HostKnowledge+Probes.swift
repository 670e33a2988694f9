import APIC
public import KVM
import VMM

extension HostKnowledge {
  /// Tries this host for the traits that scenarios need and that nobody has tried it for yet: nothing is run for
  /// scenarios that need none.
  ///
  /// A probe that fails excuses nothing by itself. It does only where its deciding expectation was not met, on a host whose
  /// back end, processor or kernel is known to lack the trait. Anything else is for the scenarios to find, which are run
  /// then and fail.
  ///
  /// - Parameters:
  ///   - scenarios: those that are going to be run.
  ///   - system: the host's KVM.
  ///   - isInterrupted: asked before each trial, of which none is begun any more once it says so.
  public mutating func probe(
    for scenarios: some Sequence<Scenario>, on system: System, isInterrupted: () -> Bool = { false }
  ) {
    for trait in scenarios.lazy.flatMap(\.needs).compactMap(\.trait) where !triedTraits.contains(trait) {
      if isInterrupted() { return }
      triedTraits.insert(trait)
      let trial = TraitTrial(trait, on: system, self)
      missingTraits[trait] =
        if let result = trial.result { trait.excuse(result, on: survey) } else {
          trial.verdict == .absent ? trial.evidence : nil
        }
    }
  }
}

extension Need {
  /// The trait that is needed, where it is one.
  var trait: HostTrait? {
    guard case .trait(let trait) = self else { return nil }
    return trait
  }
}

extension HostTrait {
  /// What is so on a host without it.
  var lack: String {
    switch self {
    case .inService: "this host ends an interrupt's service when it is delivered, not at its EOI"
    case .hypercall: "this host does not run a hypercall instruction in ring 0"
    case .tscOffset: "this host's guests read the host's TSC, whatever offset KVM is told"
    case .instructionBoundary: "this host lets a waiting interrupt in only some instructions after it could"
    case .enteredShadow: "this host's processor is QEMU's emulation, whose VMRUN forgets the interrupt shadow"
    case .steadyTSC:
      "this host's kernel holds its TSC for unstable (it is no clock source), and KVM lets those of vCPUs drift apart"
    case .consecutiveShadows:
      "this host's processor is QEMU's emulation, which lets an interrupt in behind the first of two instructions that hold it off"
    case .reservedCR8Bits: "this host's processor is QEMU's emulation, which takes any value for CR8"
    case .taskPrioritySubclass: "AMD's processors keep a guest's task priority as CR8 has it, its class alone"
    case .aliasedIDs: "Linux before 6.3 delivers an interrupt for a doubled xAPIC id to one vCPU"
    case .checkedRegisterReads: "Linux before 6.3 lets APICv answer reads of x2APIC registers that are not there"
    case .reportedTPRAccesses: "this host's hardware carries out writes to the TPR, of which KVM then cannot report any"
    case .disabledAPICsDropIPIs: "IPI virtualization keeps a fixed IPI for a local APIC that is disabled"
    case .exitingGroupIPIs: "AMD's AVIC sends IPIs to several vCPUs itself"
    case .serviceThroughActivation: "Linux before 6.19 loses the EOI of what is in service when APICv comes back"
    case .restoredIDs: "Linux before 6.3 keeps APICv off for good once an xAPIC id was changed"
    }
  }

  /// Why scenarios that need it are skipped; nil where they are run.
  ///
  /// - Parameters:
  ///   - result: what became of the trait's probe.
  ///   - survey: what is known of the host.
  func excuse(_ result: ScenarioResult, on survey: HostSurvey) -> String? {
    guard case .failed(let reason) = result.verdict, isKnownToBeMissing(on: survey) else { return nil }
    return isDenied(by: result) ? "\(lack) (tried: \(reason))" : nil
  }

  /// Whether the failure of its probe is about the trait: by its deciding expectation, or where the way that an interrupt came
  /// decides, which is an expectation of the runner's, not of the scenario's body.
  func isDenied(by result: ScenarioResult) -> Bool {
    result.missingTrait == self || self == .restoredIDs && result.cause == .path
  }

  /// Whether the host's back end, processor or kernel is known to lack it, or may lawfully do so.
  func isKnownToBeMissing(on survey: HostSurvey) -> Bool {
    switch self {
    case .inService, .hypercall, .instructionBoundary, .tscOffset: survey.backEnd == .kvmPVM
    case .steadyTSC: !survey.clockSources.contains("tsc")
    case .reservedCR8Bits, .enteredShadow, .consecutiveShadows: survey.isEmulatedByQEMU
    case .taskPrioritySubclass, .exitingGroupIPIs: survey.backEnd == .kvmAMD
    case .reportedTPRAccesses: survey[.tprShadow].state == .available || survey[.apicv].state == .available
    case .disabledAPICsDropIPIs: survey[.ipiVirtualization].state == .available
    case .aliasedIDs, .restoredIDs, .checkedRegisterReads: survey.isKernel(before: 6, 3)
    case .serviceThroughActivation: survey.isKernel(before: 6, 19)
    }
  }

  /// A scenario that passes where the host has the trait; nil where the survey says it.
  var probe: Scenario? {
    switch self {
    case .inService: .inServiceProbe
    case .hypercall: .hypercallProbe
    case .instructionBoundary: .instructionBoundaryProbe
    case .tscOffset: .tscOffsetProbe
    case .enteredShadow: .snapshotShadow.asProbe
    // Drifting apart takes its time, and does not show at once.
    case .steadyTSC: nil
    case .disabledAPICsDropIPIs: .ipiSoftwareDisabled.asProbe
    case .exitingGroupIPIs: nil
    case .consecutiveShadows: .shadowMOVSS.asProbe
    case .reservedCR8Bits: .lapicCR8Reserved.asProbe
    case .taskPrioritySubclass: .lapicSubclass.asProbe
    case .aliasedIDs: .aliasedIDsProbe
    case .checkedRegisterReads: .lapicMissingX2APIC.asProbe
    case .reportedTPRAccesses: .tprReporting.asProbe
    case .serviceThroughActivation: .apicvInService.asProbe
    case .restoredIDs: .apicvRestored(.modifiedID).asProbe
    }
  }
}

extension Scenario {
  /// A scenario that is told everywhere, whatever it needs.
  fileprivate var asProbe: Scenario {
    Scenario(
      id, title, modes: modes, vcpus: configuration.vcpus, exercises: exercises, path: path, hooks: hooks, body: body)
  }

  /// Two vCPUs of one xAPIC id.
  fileprivate static let aliasedIDsProbe = Scenario(
    "probe.aliased-ids", "An interrupt reaches both vCPUs of one xAPIC id", modes: [.xAPIC], vcpus: 3, exercises: []
  ) { test in
    try APICvInhibit.aliasedID.set(test)
    try test.stimulus { _ = try test.deciding(.aliasedIDs) { try APICvInhibit.aliasedID.isSet(test) } }
  }

  /// A handler that does not end its interrupt's service leaves it in the ISR.
  fileprivate static let inServiceProbe = Scenario(
    "probe.in-service", "An interrupt stays in service until its EOI", modes: [.x2APIC], exercises: []
  ) { test in
    let vcpu = test[vcpu: 0]
    try vcpu.handle(0x51, [])
    try test.stimulus { try vcpu.send(.toSelf(0x51)) }
    // No fence: it would wait behind what is in service.
    try test.expectAtLeast(1, of: 0x51, on: 0)
    let inService = try vcpu.readVectors(.inService)
    try test.deciding(.inService) {
      try test.check("the ISR before the EOI", inService, equals: VectorSet([0x51]))
    }
  }

  /// A hypercall without arguments that every KVM knows (KVM_HC_VAPIC_POLL_IRQ, which answers 0).
  fileprivate static let hypercallProbe = Scenario(
    "probe.hypercall", "A hypercall instruction works in ring 0", modes: [.x2APIC], exercises: []
  ) { test in
    let pollIRQ: UInt32 = 1
    try test.stimulus {
      // Where it does not work, the instruction never ends.
      let result = try test.deciding(.hypercall) { try test[vcpu: 0].hypercall(pollIRQ) }
      try test.check("KVM_HC_VAPIC_POLL_IRQ answers", result, equals: 0)
    }
  }

  /// A TSC that is set an hour ahead.
  fileprivate static let tscOffsetProbe = Scenario(
    "probe.tsc-offset", "The guest's TSC follows its offset", modes: [.x2APIC], exercises: []
  ) { test in
    let vcpu = test[vcpu: 0]
    let hour = vcpu.cycles(milliseconds: 3_600_000)
    let before = try vcpu.readTSC()
    try test.stimulus {
      try test.machine.withVCPUStopped(0) { vcpu throws(KVMError) in try vcpu.setTSCOffset(try vcpu.tscOffset() &+ hour)
      }
    }
    let after = try vcpu.readTSC()
    try test.deciding(.tscOffset) {
      try test.check("the TSC is an hour ahead", after >= before &+ hour, saw: "\(after &- before) cycles")
    }
  }

  /// An interrupt that waits is taken before the second instruction behind STI.
  fileprivate static let instructionBoundaryProbe = Scenario(
    "probe.instruction-boundary", "A waiting interrupt is taken at once", modes: [.x2APIC], exercises: []
  ) { test in
    let vcpu = test[vcpu: 0]
    // A host that takes it later does so nearly always, and not always.
    for count in 1...20 {
      try vcpu.disableInterrupts()
      try test.stimulus { try vcpu.send(.toSelf(0x51)) }
      let (_, after) = try vcpu.shadow(movSS: count.isMultiple(of: 2))
      try test.expectAtLeast(count, of: 0x51, on: 0)
      let taken = try test.takenInOrder(1, of: 0x51, on: 0)
      try test.deciding(.instructionBoundary) {
        try test.check(
          "a waiting interrupt is taken at the first instruction boundary that lets it in",
          taken.allSatisfy { $0.tsc < after }, saw: "that it is taken some instructions later")
      }
    }
  }
}
