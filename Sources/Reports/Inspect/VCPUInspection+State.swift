import APIC
import KVM
import MachineState

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
