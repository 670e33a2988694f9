import APIC
import ForeignStates
import KVM
import MachineState
import VMM

extension InspectableState {
  /// The machine with what is not known as it is taken to be where something follows from it: vCPUs that run with
  /// interrupts on, whose local APICs are enabled and have the ids that the vCPUs have, GSIs that lead where KVM leads
  /// them by default, no chip that the file does not have.
  ///
  /// - Parameter views: the local APICs, by the vCPUs' indices.
  func assumed(_ views: [LocalAPICView]) -> MachineState {
    guard !isWhole else { return machine }
    var state = machine
    for (index, vcpu) in vcpus.enumerated() {
      let mode = views[index].mode
      if !vcpu.knows(.mpState) { state.vcpus[index].mpState = .runnable }
      if !vcpu.knows(.general) { state.vcpus[index].registers.rflags |= 1 << 9 }
      if !vcpu.knows(.apicBase) { state.vcpus[index].specialRegisters.apicBase = APICBase(mode: mode) }
      if !vcpu.knows(.id), vcpu.knows(.localAPIC(.id)) { state.vcpus[index].id = views[index].id }
      let id = state.vcpus[index].id
      if !vcpu.knows(.localAPIC(.id)) { state.vcpus[index].localAPIC.setID(id, mode: mode) }
      if !vcpu.knows(.localAPIC(.logicalDestination)), mode == .xAPIC {
        state.vcpus[index].localAPIC.setLogicalID(1 << (id % 8), mode: mode)
      }
      if !vcpu.knows(.localAPIC(.destinationFormat)) { state.vcpus[index].localAPIC.setDestinationFormat(.flat) }
      if !vcpu.knows(.localAPIC(.spurious)) {
        state.vcpus[index].localAPIC.spurious = SpuriousInterruptVectorRegister()
      }
      if !vcpu.knows(.localAPIC(.lvtLINT0)) { state.vcpus[index].localAPIC.setLVT(.lint0, to: .masked) }
    }
    (state.pics, state.ioapic, state.pit) = (pics, ioapic, pit)
    if !knows(.events) { (state.irqfds, state.ioEvents) = ([], []) }
    if !knows(.ioapic) { state.splitIOAPIC = nil }
    if !knows(.hostClock) { state.time.hostMonotonic = 0 }
    if !knows(.routes) {
      state.settings.routes = GSIRoute.defaults.filter { route in
        switch route {
        case .irqChip(_, .ioapic, _): state.ioapic != nil
        case .irqChip: state.pics != nil
        case .msi, .hypervSINT: false
        }
      }
    }
    return state
  }
}

extension LocalAPICView {
  /// The local APIC of a vCPU.
  ///
  /// - Parameter mode: the mode where the file does not say it; nil to tell it by the LDR.
  init(_ vcpu: InspectableVCPU, mode: APICMode? = nil) {
    let absent = Set(LocalAPICRegister.allCases.filter { !vcpu.knows(.localAPIC($0)) })
    let page = vcpu.values.localAPIC
    if let base = vcpu.apicBase {
      self.init(state: page, mode: base.mode, id: vcpu.id ?? page.id(mode: base.mode), absent: absent)
      return
    }
    self.init(page: page)
    if let mode, mode != self.mode { self.init(state: page, mode: mode, id: page.id(mode: mode)) }
    self.absent = absent
    if let id = vcpu.id { self.id = id }
  }
}

extension VCPUState {
  /// The part that a register of the groups `execution` and `events` is of; nil for those that every state has.
  static func part(of register: String) -> InspectableVCPU.Part? {
    switch register {
    case "MP_STATE": .mpState
    case "CR0", "CR2", "CR3", "CR4", "IA32_EFER": .control
    case "CR8": .taskPriority
    case "IA32_APIC_BASE": .apicBase
    case "INTERRUPT_BITMAP", "PDPTRS": .specials
    case "CS", "DS", "ES", "FS", "GS", "SS", "TR", "LDTR", "GDTR", "IDTR": .segments
    case "DR0", "DR1", "DR2", "DR3", "DR6", "DR7": .debug
    case "EXCEPTION", "INTERRUPT", "NMI", "SIPI_VECTOR", "TRIPLE_FAULT": .events
    case "SHADOW": .shadow
    case "SMI": .systemManagement
    case "VAPIC_ADDRESS", "TPR_ACCESS_REPORTING", "VCPU_CAPABILITIES", "TSC_OFFSET": .settings
    case "TSC_KHZ": .tscFrequency
    case "XSAVE", "NESTED_STATE": .extended
    default: .general
    }
  }
}
