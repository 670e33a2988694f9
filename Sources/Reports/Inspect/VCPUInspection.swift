import APIC
import KVM
import MachineState

/// A vCPU, or a local APIC alone: what its interrupts depend on, decoded.
public struct VCPUInspection: Codable, Hashable, Sendable {
  /// Its index; absent for a page alone.
  public var index: Int?
  /// Its APIC id.
  public var id: UInt32
  /// `runnable`, `halted` and so on (KVM_GET_MP_STATE); absent for a page alone.
  public var state: String?
  /// The mode of its local APIC: `disabled`, `xAPIC`, `x2APIC` or `invalid mode`.
  public var mode: String
  /// Whether it is the bootstrap processor; absent for a page alone.
  public var isBootstrapProcessor: Bool?
  /// Whether software has enabled the local APIC in the SVR.
  public var isSoftwareEnabled: Bool
  /// The TPR.
  public var taskPriority: UInt8
  /// The priority that the processor runs at, from the TPR and the ISR. The PPR of the page can be older.
  public var processorPriority: UInt8
  /// The IRR.
  public var interruptRequest: [UInt8]
  /// The ISR.
  public var inService: [UInt8]
  /// The TMR.
  public var triggerModes: [UInt8]
  /// What it takes next, and what waits.
  public var delivery: DeliveryReport
  /// The vCPUs that the command in the ICR names; absent for a page alone.
  public var commandRecipients: Recipients?
  /// Its timer.
  public var timer: TimerReport
  /// Its vAPIC; absent where it has none.
  public var vapic: VAPICInspection?
  /// The registers: local APIC, execution, events, model-specific.
  public var groups: [RegisterGroup]
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
  /// A vCPU of a machine.
  ///
  /// - Parameters:
  ///   - index: its index.
  ///   - word: reads 32 bits of guest memory; nil where they are not there.
  init(_ index: Int, of state: MachineState, _ processors: Processors, word: (UInt64) -> UInt32?) {
    let vcpu = state.vcpus[index]
    self.init(LocalAPICView(vcpu))
    self.index = index
    self.state = "\(vcpu.mpState)"
    isBootstrapProcessor = vcpu.specialRegisters.apicBase.isBootstrapProcessor
    delivery = DeliveryReport(vcpu, pic: state.pics.flatMap { PICRequest($0) })
    commandRecipients = Recipients(
      of: .init(vcpu.localAPIC.interruptCommand(mode: vcpu.specialRegisters.apicBase.mode), from: index), in: processors
    )
    timer = TimerReport(vcpu, busCycle: state.apicBusCycle)
    let address = vcpu.settings.vapicAddress
    if address != 0 { vapic = VAPICInspection(address: address, word: word(address), vcpu.localAPIC) }
    groups += [
      RegisterGroup(name: "execution", registers: VCPUState.executionRegisters.reports(vcpu)),
      RegisterGroup(name: "events", registers: VCPUState.eventRegisters.reports(vcpu)),
      RegisterGroup(name: "model", registers: vcpu.modelRegisters),
    ]
  }

  /// A page alone: a processor that is taken to run with interrupts on.
  init(_ view: LocalAPICView) {
    let page = view.state
    id = view.id
    mode = view.mode.words
    isSoftwareEnabled = page.spurious.isSoftwareEnabled
    taskPriority = page.taskPriority.rawValue
    processorPriority =
      Priority.processorPriority(taskPriority: page.taskPriority, highestInService: page.inService.highest).rawValue
    interruptRequest = page.interruptRequest.map(\.rawValue)
    inService = page.inService.map(\.rawValue)
    triggerModes = page.triggerModes.map(\.rawValue)
    var vcpu = VCPUState()
    vcpu.localAPIC = page
    vcpu.registers.rflags |= 1 << 9
    vcpu.specialRegisters.apicBase = APICBase(mode: view.mode)
    delivery = DeliveryReport(vcpu)
    timer = TimerReport(page)
    groups = [RegisterGroup(name: "local APIC", registers: LocalAPICView.registers.reports(view))]
  }
}
