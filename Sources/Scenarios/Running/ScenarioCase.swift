public import APIC
import KVM
public import Support
import VMM

/// A scenario in one of its APIC modes: what is run, counted and reported.
public struct ScenarioCase: Sendable {
  /// The scenario.
  public let scenario: Scenario
  /// The mode.
  public let mode: APICMode
  /// Whether a parked vCPU keeps APICv off meanwhile.
  public var isAPICvInhibited = false

  /// The scenario's id, with the mode behind it where it is run in more than one: `ipi.self.x2apic`.
  public var id: String {
    guard scenario.modes.count > 1 else { return scenario.id }
    return scenario.id + (mode == .x2APIC ? ".x2apic" : ".xapic")
  }

  /// All cases of a catalogue, in its order.
  public static func all(of catalogue: [Scenario]) -> [ScenarioCase] {
    catalogue.flatMap { scenario in scenario.modes.map { ScenarioCase(scenario: scenario, mode: $0) } }
  }
}

extension ScenarioCase {
  /// The first word of its id, which cases about one thing share.
  public var family: String { String(id.prefix { $0 != "." }) }

  /// Every case, and behind it the same with APICv kept off: so both meet the same host.
  public static func pairs(of cases: [ScenarioCase]) -> [ScenarioCase] {
    cases.flatMap { testCase in
      var inhibited = testCase
      inhibited.isAPICvInhibited = true
      return [testCase, inhibited]
    }
  }
}

/// Ends a case from another thread than the one that it runs on: its machine stops, which frees whoever waits for one of
/// its vCPUs, and its scenario fails.
public typealias CaseControl = WorkControl

extension WorkControl {
  /// Says which machine to stop; nil once it has ended.
  func attach(_ machine: Machine?) {
    guard let machine else { return whenEnded(nil) }
    whenEnded { machine.end(.timeLimit) }
  }
}

/// A vCPU that never runs and keeps APICv off for its whole VM, so that one host in one boot shows the same scenario with
/// APICv and without.
///
/// Its xAPIC id is not its vCPU's, for which KVM inhibits APICv (APICV_INHIBIT_REASON_APIC_ID_MODIFIED; kernel,
/// `kvm_lapic_xapic_id_updated`, since Linux 6.4 `kvm_recalculate_apic_map`). It waits for an INIT that nobody sends, its
/// local APIC is disabled by software, and no guest is told of it: nothing else of the machine changes.
enum ParkedVCPU {
  /// Beyond the ids of the suite's machines that have 8 bits.
  private static let id: UInt32 = 251
  private static let foreignID: UInt32 = 252

  /// Adds the vCPU to a machine that has none yet.
  static func add(to vm: VirtualMachine) throws(KVMError) {
    let vcpu = try vm.createVCPU(id: id)
    var state = try vcpu.localAPIC()
    state.setID(foreignID, mode: .xAPIC)
    // Twice: kernels before 6.4 look at the id that the state replaces.
    try vcpu.setLocalAPIC(state)
    try vcpu.setLocalAPIC(state)
  }
}

extension MachineHooks {
  /// The same hooks for a machine with a vCPU that keeps APICv off.
  var withParkedVCPU: MachineHooks {
    var hooks = self
    let prepare = prepare
    hooks.prepare = { vm throws(KVMError) in
      try prepare(vm)
      try ParkedVCPU.add(to: vm)
    }
    return hooks
  }
}
