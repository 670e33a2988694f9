import APIC
import ForeignStates
public import KVM
import MachineState

/// A vCPU, or a local APIC alone: what its interrupts depend on, decoded.
public struct VCPUInspection: Codable, Hashable, Sendable {
  /// Its index; absent for a page alone.
  public var index: Int?
  /// Its APIC id; absent where it is not known.
  public var id: UInt32?
  /// `runnable`, `halted` and so on (KVM_GET_MP_STATE); absent where it is not known.
  public var state: MPState?
  /// The mode of its local APIC: `disabled`, `xAPIC`, `x2APIC`, `invalid mode` or `not known`.
  public var mode: String
  /// Whether it is the bootstrap processor; absent where it is not known.
  public var isBootstrapProcessor: Bool?
  /// Whether software has enabled the local APIC in the SVR; absent where it is not known.
  public var isSoftwareEnabled: Bool?
  /// The TPR; absent where it is not known, as are the following.
  public var taskPriority: UInt8?
  /// The priority that the processor runs at, from the TPR and the ISR. The PPR of the page can be older.
  public var processorPriority: UInt8?
  /// The IRR.
  public var interruptRequest: [UInt8]?
  /// The ISR.
  public var inService: [UInt8]?
  /// The TMR.
  public var triggerModes: [UInt8]?
  /// What it takes next, and what waits.
  public var delivery: DeliveryReport
  /// The vCPUs that the command in the ICR names; absent for a page alone.
  public var commandRecipients: Recipients?
  /// Its timer; absent where how it is set is not known.
  public var timer: TimerReport?
  /// Its vAPIC; absent where it has none.
  public var vapic: VAPICInspection?
  /// The registers: local APIC, execution, events, model-specific.
  public var groups: [RegisterGroup]
  /// What the file does not hold of it; absent where it holds everything.
  public var notKnown: [String]?
}

/// The word in guest memory that KVM keeps for a guest's TPR (KVM_SET_VAPIC_ADDR).
public struct VAPICInspection: Codable, Hashable, Sendable {
  /// Where it is in guest-physical memory.
  public var address: UInt64
  /// The word; absent where guest memory is not there to be read.
  public var word: UInt32?
  /// The TPR in it, which KVM takes over at each exit.
  public var taskPriority: UInt8?
  /// The class of the highest vector in service.
  public var inServiceClass: UInt8?
  /// The highest vector in the IRR; 0 for none.
  public var highestRequest: UInt8?
  /// The word that KVM would write now.
  public var expected: UInt32
  /// The same for a person.
  public var text: String

  init(address: UInt64, word: UInt32?, _ page: LocalAPICState) {
    self.address = address
    self.word = word
    let now = VAPICWord(page)
    expected = now.rawValue
    let place = "at \(hex(address))"
    guard let word else {
      text = "\(place); guest memory is not there to be read"
      return
    }
    let decoded = VAPICWord(rawValue: word)
    taskPriority = decoded.taskPriority.rawValue
    inServiceClass = decoded.inServiceClass
    highestRequest = decoded.highestRequest?.rawValue ?? 0
    let value = "\(place): \(hex(word, digits: 8)), \(decoded)"
    if decoded.taskPriority != page.taskPriority {
      text = "\(value); its TPR goes to the local APIC at the next exit"
    } else {
      text = word == now.rawValue ? value : "\(value); the next entry writes \(hex(now.rawValue, digits: 8))"
    }
  }
}

extension VCPUInspection {
  /// A vCPU as far as a file holds it.
  ///
  /// - Parameters:
  ///   - known: the vCPU.
  ///   - view: its local APIC.
  ///   - state: the machine with what is not known as it is taken to be (`InspectableState.assumed`).
  ///   - word: reads 32 bits of guest memory; nil where they are not there.
  init(
    _ known: InspectableVCPU, _ view: LocalAPICView, of state: MachineState, _ processors: Processors,
    word: (UInt64) -> UInt32?
  ) {
    let index = known.index
    let vcpu = state.vcpus[index]
    let page = view.state
    self.index = index
    id = known.knows(.id) || known.knows(.localAPIC(.id)) ? view.id : nil
    self.state = known.mpState
    mode = known.knows(.apicBase) || known.knows(.localAPIC(.id)) ? view.mode.words : "not known"
    isBootstrapProcessor = known.apicBase?.isBootstrapProcessor
    isSoftwareEnabled = known[.spurious].map { $0 >> 8 & 1 == 1 }
    taskPriority = known[.taskPriority].map { UInt8(truncatingIfNeeded: $0) }
    if taskPriority != nil, let served = known.inService {
      processorPriority =
        Priority.processorPriority(taskPriority: page.taskPriority, highestInService: served.highest).rawValue
    }
    interruptRequest = known.interruptRequest?.map(\.rawValue)
    inService = known.inService?.map(\.rawValue)
    triggerModes = known.triggerModes?.map(\.rawValue)
    delivery = DeliveryReport(vcpu, pic: state.pics.flatMap { PICRequest($0) })
    if known.knows(.apicBase), known.knows(.localAPIC(.interruptCommand)) {
      commandRecipients = Recipients(of: .init(page.interruptCommand(mode: view.mode), from: index), in: processors)
    }
    if [LocalAPICRegister.lvtTimer, .initialCount, .divide].allSatisfy({ known.knows(.localAPIC($0)) }) {
      timer = TimerReport(
        vcpu, busCycle: state.apicBusCycle, knowsCount: known.knows(.localAPIC(.currentCount)),
        knowsDeadline: known.knows(.deadline))
    }
    if known.knows(.settings) {
      let address = vcpu.settings.vapicAddress
      if address != 0 { vapic = VAPICInspection(address: address, word: word(address), page) }
    }
    groups = known.registerGroups(view)
    let missing = known.absent.words
    notKnown = missing.isEmpty ? nil : missing
  }
}

extension InspectableVCPU {
  /// The registers that the file holds.
  func registerGroups(_ view: LocalAPICView) -> [RegisterGroup] {
    var groups = [RegisterGroup(name: "local APIC", registers: LocalAPICView.registers.reports(view))]
    func knowing(_ register: VCPUState.Register) -> Bool { VCPUState.part(of: register.name).map(knows) ?? true }
    let execution = VCPUState.executionRegisters.filter(knowing).reports(values)
    let events = VCPUState.eventRegisters.filter(knowing).reports(values)
    if !execution.isEmpty { groups.append(RegisterGroup(name: "execution", registers: execution)) }
    if !events.isEmpty { groups.append(RegisterGroup(name: "events", registers: events)) }
    if knows(.msrs) || !values.msrs.isEmpty {
      groups.append(RegisterGroup(name: "model", registers: values.modelRegisters))
    }
    return groups
  }
}
